"""Implicit Runge–Kutta methods: stages that are solutions of equations.

Where a is triangular each stage is solved on its own, else all together. Hairer and Wanner II,
sections IV.5, IV.6 and IV.8.
"""

from __future__ import annotations

from dataclasses import dataclass

from occore import Controls, Dynamics
from occore_continuous.discretizations.coupled_stages import CoupledStages
from occore_continuous.discretizations.runge_kutta import RungeKutta, Stages
from occore_continuous.discretizations.stage_systems import SolverOption
from occore_continuous.discretizations.successive_stages import SuccessiveStages


@dataclass(frozen=True)
class ImplicitRungeKutta(RungeKutta):
    """Stages by Newton's iteration; a method gives its tableau, orders and example."""

    solver: SolverOption = "auto"

    def stages(self, dynamics: Dynamics, t: float, h: float, control: Controls) -> Stages:
        """One after the other where a is triangular, else together."""
        if self.tableau.triangular:
            return SuccessiveStages(self.tableau, (dynamics,), t, h, control, self.solver)
        return CoupledStages(self.tableau, dynamics, t, h, control, self.solver)
