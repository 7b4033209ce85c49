"""What a run keeps of a regression for its figure: the curve of one number over another."""

from __future__ import annotations

from typing import Any

from occore.arrays import Array
from occore.data import Data
from occore.lattice import axes_of, thinned
from occore.problem import Problem


def regression_record(problem: Problem, theta: Array, held_out: Data | None) -> dict[str, Any]:
    """`curve` where one number is fitted to another; empty for other problems.

    curve: `x` (LATTICE,) and the `output` there, and for `train` and `held_out` the `input` (n,)
    and the `target` (n,) of up to 1000 samples.
    """
    data, targets = problem.data, problem.data.targets
    if data.classes is not None or targets is None:
        return {}
    if not data.inputs.shape[1:] == targets.shape[1:] == problem.output_shape == (1,):
        return {}
    (x,) = axes_of(data)
    curve: dict[str, Any] = {"x": x, "output": problem.output(theta, x[:, None])[:, 0]}
    for part, samples in (("train", data), ("held_out", held_out)):
        if samples is not None:
            few = thinned(samples)
            curve[part] = {"input": few.inputs[:, 0], "target": few.targets[:, 0]}
    return {"curve": curve}
