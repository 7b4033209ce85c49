"""Motion: where the samples are behind each layer, in a plane, for a picture of it.

For each integrated phase with fixed steps, in a group of its name:

name     shape                   what is measured
points   (steps + 1, samples, 2) the states, on the two axes along which those of all layers
                                 together vary most; states of two entries as they are
label    (samples,)              the class of each sample, in a group of its own

The principal axes are those of one look: the next one may have others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Array, Data, Example, InputError, Observer, Problem, true_classes
from occore_residual.passage import passages


@dataclass(frozen=True)
class MotionObserver(Observer):
    """Points of the plane behind each layer, and their classes."""

    samples: Annotated[int, Field(gt=0, description="points that are kept, evenly chosen")] = 400

    def observe(self, problem: Problem, theta: Array, iteration: int) -> dict[str, Array]:
        """The table of the module; `label` and `phase/points`. Raises InputError for no classes."""
        data = problem.data
        if data.classes is None:
            raise InputError("points are drawn by their classes, which these data do not have")
        count = min(self.samples, data.samples)
        chosen = np.linspace(0, data.samples - 1, count).round().astype(int)
        few = problem.subset(chosen)
        found: dict[str, Array] = {"label": true_classes(few.data)}
        for passage in passages(few, theta, count):
            states = np.stack(passage.states).reshape(len(passage.states), count, -1)
            found[f"{passage.phase.name}/points"] = on_a_plane(states)
        return found

    @classmethod
    def example(cls) -> Example:
        """dx/dt = x by Euler steps of 1: a plane point doubles, by hand."""
        from occore_classification.softmax_cross_entropy import SoftmaxCrossEntropy
        from occore_residual.example_flow import flow_of

        data = Data(np.array([[1.0, 0.5], [-0.5, 2.0]]), np.eye(2)[::-1], ("a", "b"))
        return Example(
            cls(),
            problem=flow_of(data, SoftmaxCrossEntropy(), 1, 1.0),
            theta=[1.0, 0.0, 0.0, 1.0],
            value={
                "label": [1, 0],
                "flow/points": [[[1.0, 0.5], [-0.5, 2.0]], [[2.0, 1.0], [-1.0, 4.0]]],
            },
        )


def on_a_plane(states: Array) -> Array:
    """(layers, samples, n) → (layers, samples, 2): coordinates along two principal axes.

    The sign of an axis is that in which its largest component is positive.
    """
    n = states.shape[-1]
    if n == 2:
        return states
    rows = states.reshape(-1, n).astype(float)
    if n == 1:
        return np.concatenate([states, 0 * states], axis=-1)
    rows = rows - rows.mean(axis=0)
    _, axes = np.linalg.eigh(rows.T @ rows)
    axes = axes[:, :-3:-1]
    largest = np.take_along_axis(axes, np.argmax(np.abs(axes), axis=0)[None], axis=0)
    return (rows @ (axes * np.sign(largest))).reshape(*states.shape[:-1], 2)
