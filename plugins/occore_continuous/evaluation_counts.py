"""Evaluation counts: what a value and a gradient of each integrated phase take, along a run.

For each integrated phase, in a group of its name, for all samples at once:

name                  what is counted
steps                 of the grid; an adaptive one is found anew at every look
rejected_steps        attempts of the search for an adaptive grid that were not accepted
evaluations           of f, for a value: those of all attempts, and of the steps on the grid
adjoint_evaluations   products with the transposed derivative of f, for a gradient

Fields that are learnt tend to need ever more steps: Chen et al., Neural ordinary differential
equations (2018), figure 3d.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from occore import (
    Array,
    Bolza,
    Data,
    Example,
    ExpressionDynamics,
    Observer,
    Phase,
    Problem,
    efforts,
)


@dataclass(frozen=True)
class EvaluationCounts(Observer):
    """Steps, and evaluations of the fields forward and backward."""

    def observe(self, problem: Problem, theta: Array, iteration: int) -> dict[str, Array]:
        """The table of the module, with names `phase/name`."""
        return {
            f"{phase}/{name}": np.asarray(count)
            for phase, effort in efforts(problem, theta).items()
            for name, count in effort._asdict().items()
        }

    @classmethod
    def example(cls) -> Example:
        """Five steps of RK4 with four stages each, forward and back."""
        from occore_continuous.control_spaces.constant import Constant
        from occore_continuous.discretizations.rk4 import RK4

        dynamics = ExpressionDynamics(("x",), (), {"x": "-k*x"}, ("k",))
        phase = Phase("decay", dynamics, RK4(), 5, space=Constant())
        objective = Bolza(terminal="x**2").for_phases((phase,))
        counts = {"steps": 5, "rejected_steps": 0, "evaluations": 20, "adjoint_evaluations": 20}
        return Example(
            cls(),
            problem=Problem((phase,), objective, Data(np.ones((1, 1)))),
            theta=[0.5],
            value={f"decay/{name}": count for name, count in counts.items()},
        )
