"""Stages that are solved all at once, and the exact derivative of the step: any matrix a.

    k_i = f(t + c_i h, x + h Σ_j a_ij k_j, u_i),    y = x + h Σ_i b_i k_i,
    pk_i = h b_i p,    px = p + Σ_i g_i,    dpx = Σ_i dg_i

with g_i, dg_i of `implicit_stages`. Hairer and Wanner II, sections IV.5 and IV.8.
"""

from __future__ import annotations

from dataclasses import dataclass

from occore import Array, Controls, Dynamics, Linearization
from occore_continuous.discretizations.implicit_stages import Equations, SolvedStages, solve
from occore_continuous.discretizations.stage_systems import Arrays, Solver
from occore_continuous.discretizations.stages import at, combine, gather, scaled
from occore_continuous.discretizations.tableau import Tableau


@dataclass(frozen=True)
class CoupledStages:
    """The stages of a step, for example those of a Gauss method."""

    tableau: Tableau
    dynamics: Dynamics
    t: float
    h: float
    control: Controls
    solver: Solver

    def values(self, x: Array, count: int) -> Arrays:
        """k of the first `count` stages."""
        return solve(self._equations(), self._arguments(x))[:count]

    def linearize(self, x: Array) -> tuple[Arrays, Linearization]:
        """k, and the derivative of the step."""
        equations, r = self._equations(), self._arguments(x)
        k = solve(equations, r)
        return k, CoupledLinearization(self.tableau, self.h, SolvedStages.at(equations, r, k))

    def _equations(self) -> Equations:
        times = [self.t + c * self.h for c in self.tableau.times]
        controls = [at(self.control, place) for place in self.tableau.places]
        return Equations(self.solver, self.dynamics, self.h, self.tableau.matrix, times, controls)

    def _arguments(self, x: Array) -> Arrays:
        return [x] * len(self.tableau.b)


@dataclass(frozen=True)
class CoupledLinearization(Linearization):
    """Products of a step whose stages are solved together."""

    tableau: Tableau
    h: float
    stages: SolvedStages

    def jvp(self, dx: Array, du: Controls) -> Array:
        """dx + h Σ b_i dk_i."""
        dk = self.stages.jvp(self._all(dx), self._controls(du))
        return combine(dx, scaled(self.tableau.weights, self.h, dk))

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """py + Σ g_i."""
        parts = self.stages.vjp(self._stage_adjoints(py))
        return combine(py, [(1.0, g) for g, _ in parts]), self._gather([gu for _, gu in parts])

    @property
    def curvature(self):
        """Where f has second derivatives."""
        return self._curvature if self.stages.twice else None

    def _curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        pk = self._stage_adjoints(py)
        parts = self.stages.curvature(pk, self._all(dx), self._controls(du))
        (first, _), *rest = parts
        return combine(first, [(1.0, g) for g, _ in rest]), self._gather([gu for _, gu in parts])

    def _all(self, dx: Array) -> Arrays:
        return [dx] * len(self.tableau.b)

    def _controls(self, du: Controls) -> list[Controls]:
        return [at(du, place) for place in self.tableau.places]

    def _stage_adjoints(self, p: Array) -> Arrays:
        return [self.h * b * p for _, b in self.tableau.weights]

    def _gather(self, gu: list[Controls]) -> Controls:
        return gather(gu, self.tableau.places, len(self.tableau.abscissae))
