"""What a run keeps of a classification for its figures: names of classes, regions of the plane.

A run file is looked at without its data; so what a picture of the decision regions needs is stored
in it: which class the model gives to each point of a lattice, and some samples to draw over it; or
some pictures, where the classes are those of their pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from occore.arrays import Array
from occore.data import Data
from occore.lattice import LATTICE, axes_of, thinned
from occore.problem import Problem

MOST_PICTURES = 3
"""Pictures that are drawn where pixels are classified."""


def classification_record(problem: Problem, theta: Array, held_out: Data | None) -> dict[str, Any]:
    """`classes`, and `regions` of a plane of inputs or `pictures` whose pixels are classified.

    Empty for other problems.

    regions: `x`, `y` (LATTICE,), `decision` (LATTICE, LATTICE), the index of the class at (y, x),
    and for `train` and `held_out` the `points` (n, 2) and the `class` (n,) of up to 1000 samples.
    pictures: `input` (n, rows, columns, channels), and the classes `truth` and `decision`
    (n, rows, columns), of the first held-out samples, or training samples where none are held out.
    """
    data, decide = problem.data, _decision(problem)
    if data.classes is None or decide is None:
        return {}
    record: dict[str, Any] = {"classes": np.array(data.classes, object)}
    if data.targets.ndim == 4 and data.inputs.shape[:-1] == data.targets.shape[:-1]:
        shown = held_out or data
        shown = shown.subset(np.arange(min(MOST_PICTURES, shown.samples)))
        decision = decide(problem.output(theta, shown.inputs))
        pictures = {"input": shown.inputs, "truth": true_classes(shown), "decision": decision}
        return record | {"pictures": pictures}
    if data.inputs.shape[1:] != (2,):
        return record
    x, y = axes_of(data)
    lattice = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    decision = decide(problem.output(theta, lattice)).reshape(LATTICE, LATTICE)
    regions = {"x": x, "y": y, "decision": decision, "train": _drawn(data)}
    if held_out is not None:
        regions["held_out"] = _drawn(held_out)
    return record | {"regions": regions}


def _decision(problem: Problem) -> Any:
    """How the first terminal term that classifies does so."""
    found = [term.decide for _, term in problem.terminal if term.decide is not None]
    return found[0] if found else None


def true_classes(data: Data) -> Array:
    """The index of the class of each sample, or cell, of one-hot rows or a column of 0 and 1."""
    if data.targets.shape[-1] == 1:
        return (data.targets[..., 0] > 0.5).astype(np.int64)
    return np.argmax(data.targets, axis=-1)


def _drawn(data: Data) -> dict[str, Array]:
    few = thinned(data)
    return {"points": few.inputs, "class": true_classes(few)}
