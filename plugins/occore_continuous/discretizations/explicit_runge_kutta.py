"""Explicit Runge–Kutta methods: a tableau with a strictly triangular matrix a."""

from __future__ import annotations

from occore import Controls, Dynamics
from occore_continuous.discretizations.runge_kutta import RungeKutta
from occore_continuous.discretizations.successive_stages import SuccessiveStages


class ExplicitRungeKutta(RungeKutta):
    """Every stage is one evaluation of f; a method gives its tableau, orders and example."""

    def stages(self, dynamics: Dynamics, t: float, h: float, control: Controls) -> SuccessiveStages:
        """One after the other."""
        return SuccessiveStages(self.tableau, (dynamics,), t, h, control)
