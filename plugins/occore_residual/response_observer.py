"""Layer responses: how much each layer of a residual network changes the state.

For each integrated phase with fixed steps, in a group of its name:

name       shape     what is measured
response   (steps,)  root mean square of the entries of x_{k+1} − x_k, of all samples
state      (steps,)  root mean square of the entries of x_k

He, Zhang, Ren and Sun, Deep residual learning for image recognition, CVPR (2016), figure 7: what a
layer changes is small, and the smaller the more layers there are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Array, Example, Observer, Problem
from occore_residual.passage import passages


@dataclass(frozen=True)
class ResponseObserver(Observer):
    """Sizes of the changes and of the states."""

    samples: Annotated[
        int, Field(gt=0, description="samples that are looked at, the first ones")
    ] = 256

    def observe(self, problem: Problem, theta: Array, iteration: int) -> dict[str, Array]:
        """The table of the module, with names `phase/name`."""
        found: dict[str, Array] = {}
        for passage in passages(problem, theta, self.samples):
            states, name = np.stack(passage.states), passage.phase.name
            found[f"{name}/response"] = _size(np.diff(states, axis=0))
            found[f"{name}/state"] = _size(states[:-1])
        return found

    @classmethod
    def example(cls) -> Example:
        """dx/dt = x by Euler steps of ½ from (1, ½): changes are half of the state, by hand."""
        from occore_residual.example_flow import linear_flow

        size = math.sqrt((1 + 0.25) / 2)
        return Example(
            cls(),
            problem=linear_flow([[1.0], [0.5]], 2, 1.0),
            theta=[1.0],
            value={
                "flow/response": [size / 2, 1.5 * size / 2],
                "flow/state": [size, 1.5 * size],
            },
        )


def _size(states: Array) -> Array:
    """Root mean square over all but the first axis."""
    return np.sqrt(np.mean(np.square(states), axis=tuple(range(1, states.ndim))))
