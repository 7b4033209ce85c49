"""Reversibility meter: forward through a phase, back again, and how far from the start that ends.

For each integrated phase with fixed steps, in a group of its name:

name                shape   what is measured
gap_float32         ()      max |x − x̂| / max |x| over entries and samples, where x̂ is where the way
gap_float64         ()      back ends, each computed in that precision

A method with a way back (`Discretization.retreat`, as `leapfrog` and `verlet` have) takes it; the
others step with −h from t + h, as if the differential equation could be followed back. What is
reversible in exact arithmetic need not be so in floating point: errors of the way there grow on the
way back, and a field that contracts cannot be followed back. The meter decides, not the theorem.

Sources: Chang et al., Reversible architectures for arbitrarily deep residual neural networks, AAAI
(2018); Gholami, Keutzer and Biros, ANODE, IJCAI (2019), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Array, Controls, Example, Observer, Phase, Problem
from occore_residual.passage import Passage, passages


@dataclass(frozen=True)
class ReversibilityObserver(Observer):
    """The gap after the way there and back, in both precisions."""

    samples: Annotated[int, Field(gt=0, description="that go there and back, the first ones")] = 64

    def observe(self, problem: Problem, theta: Array, iteration: int) -> dict[str, Array]:
        """The table of the module, with names `phase/name`."""
        with np.errstate(all="ignore"):  # what overflows on the way back gives a gap of inf or nan
            return {
                f"{passage.phase.name}/gap_{dtype}": np.asarray(gap(passage, dtype))
                for passage in passages(problem, theta, self.samples)
                for dtype in ("float32", "float64")
            }

    @classmethod
    def example(cls) -> Example:
        """dx/dt = x by Euler steps of ½: (3/2)² there and (1/2)² back are 9/16, by hand."""
        from occore_residual.example_flow import linear_flow

        return Example(
            cls(),
            problem=linear_flow([[1.0], [0.5]], 2, 1.0),
            theta=[1.0],
            value={"flow/gap_float32": 7 / 16, "flow/gap_float64": 7 / 16},
        )


def gap(passage: Passage, dtype: str) -> float:
    """max |x − x̂| / max |x| of the phase in this precision."""
    phase = passage.phase
    x = passage.states[0].astype(dtype)
    u = {name: np.asarray(value, dtype) for name, value in passage.controls.items()}
    *_, end = phase.states(x, u)
    back = returned(phase, x, end, u)
    return float(np.max(np.abs(x - back)) / np.max(np.abs(x)))


def returned(phase: Phase, start: Array, end: Array, u: Controls) -> Array:
    """Where the way back from `end` ends; `start` says the grid."""
    march = phase.march(*phase.begin(start, u))
    method, grid, controls = march.discretization, march.grid, march.stages.controls(u)
    for k in reversed(range(grid.steps)):
        t, h, control = float(grid.times[k]), float(grid.lengths[k]), controls[k]
        if method.retreat is not None:
            end = method.retreat(march.dynamics, t, h, end, control)
        else:
            turned = {name: value[::-1] for name, value in control.items()}
            end = method.step(march.dynamics, t + h, -h, end, turned)
    return end
