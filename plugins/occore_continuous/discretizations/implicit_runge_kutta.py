"""Implicit Runge–Kutta steps: stage by stage where a is triangular, all stages at once where not.

A diagonally implicit stage with a_ii ≠ 0 is the map κ_i of `runge_kutta` that solves
k = f(t + c_i h, X + h a_ii k, u); the rest is that module. Stages of a split dynamics f = f_E + f_I
(additive methods) belong to one part or the other. For a full matrix a, such as a Gauss method's,

    k_i = f(t + c_i h, x + h Σ_j a_ij k_j, u_i),    y = x + h Σ_i b_i k_i,
    pk_i = h b_i p,    px = p + Σ_i g_i,    dpx = Σ_i dg_i

with g_i, dg_i of `implicit_stages`. Hairer and Wanner II, sections IV.5, IV.6 and IV.8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from occore import Array, Controls, Dynamics, Linearization
from occore_continuous.discretizations import runge_kutta
from occore_continuous.discretizations.implicit_stages import (
    CoupledStages,
    Equations,
    ImplicitStage,
    solve,
)
from occore_continuous.discretizations.stage_systems import Arrays, Solver
from occore_continuous.discretizations.stages import at, combine, gather
from occore_continuous.discretizations.tableau import Tableau

Fields = Sequence[Dynamics]
"""The dynamics, or the two parts of a split one."""


@dataclass(frozen=True)
class Triangular:
    """The stages of a step with a triangular matrix a."""

    tableau: Tableau
    solver: Solver
    fields: Fields
    t: float
    h: float
    control: Controls

    def value(self, i: int, X: Array) -> Array:
        """k of stage i, where X holds the stages before it."""
        if self.tableau.matrix[i][i] != 0:
            return solve(self.equations(i), [X])[0]
        return self.fields[self.tableau.field(i)](self.time(i), X, self.instant(i))

    def linearize(self, i: int, X: Array) -> tuple[Array, Linearization]:
        """The same, and its derivative with respect to (X, u)."""
        if self.tableau.matrix[i][i] != 0:
            k = solve(self.equations(i), [X])
            return k[0], ImplicitStage(CoupledStages.at(self.equations(i), [X], k))
        return self.fields[self.tableau.field(i)].linearize(self.time(i), X, self.instant(i))

    def equations(self, i: int) -> Equations:
        """Those of the implicit stage i."""
        field, a = self.fields[self.tableau.field(i)], self.tableau.matrix[i][i]
        return Equations(self.solver, field, self.h, [[a]], [self.time(i)], [self.instant(i)])

    def time(self, i: int) -> float:
        """t + c_i h."""
        return self.t + self.tableau.times[i] * self.h

    def instant(self, i: int) -> Controls:
        """The controls at that time."""
        return at(self.control, self.tableau.places[i])


def step(stages: Triangular, x: Array) -> Array:
    """The state at t + h."""
    return runge_kutta.advance(stages.tableau, stages.value, stages.h, x)


def linearize_step(stages: Triangular, x: Array) -> tuple[Array, Linearization]:
    """The state at t + h, and its derivative."""
    parts: list[Linearization] = []

    def stage(i: int, X: Array) -> Array:
        k, part = stages.linearize(i, X)
        parts.append(part)
        return k

    y = runge_kutta.advance(stages.tableau, stage, stages.h, x)
    return y, runge_kutta.RungeKuttaLinearization(stages.tableau, stages.h, tuple(parts))


def step_with_error(stages: Triangular, x: Array) -> tuple[Array, Array]:
    """The state of `step`, and its difference from that of the embedded method."""
    return runge_kutta.advance_with_error(stages.tableau, stages.value, stages.h, x)


def dense_output(stages: Triangular, x: Array, s: Array) -> Array:
    """States (M, samples, …) at t + s h, s (M,)."""
    return runge_kutta.interpolate(stages.tableau, stages.value, stages.h, x, s)


def coupled_equations(
    tableau: Tableau, solver: Solver, dynamics: Dynamics, t: float, h: float, control: Controls
) -> Equations:
    """The equations of all stages of a step with a full matrix a."""
    times = [t + c * h for c in tableau.times]
    controls = [at(control, place) for place in tableau.places]
    return Equations(solver, dynamics, h, tableau.matrix, times, controls)


def coupled_step(tableau: Tableau, equations: Equations, x: Array) -> Array:
    """The state at t + h."""
    k = solve(equations, [x] * len(tableau.b))
    return combine(x, [(equations.h * b, k[i]) for i, b in tableau.weights])


def linearize_coupled_step(
    tableau: Tableau, equations: Equations, x: Array
) -> tuple[Array, Linearization]:
    """The state at t + h, and its derivative."""
    r = [x] * len(tableau.b)
    k = solve(equations, r)
    y = combine(x, [(equations.h * b, k[i]) for i, b in tableau.weights])
    return y, CoupledLinearization(tableau, equations.h, CoupledStages.at(equations, r, k))


def coupled_dense_output(tableau: Tableau, equations: Equations, x: Array, s: Array) -> Array:
    """States (M, samples, …) at t + s h, s (M,)."""
    k = solve(equations, [x] * len(tableau.b))
    return runge_kutta.weigh(runge_kutta.dense_weights(tableau, s), k, equations.h, x)


@dataclass(frozen=True)
class CoupledLinearization(Linearization):
    """Products of a step whose stages are solved together."""

    tableau: Tableau
    h: float
    stages: CoupledStages

    def jvp(self, dx: Array, du: Controls) -> Array:
        """dx + h Σ b_i dk_i."""
        dk = self.stages.jvp(self._all(dx), self._controls(du))
        return combine(dx, [(self.h * b, dk[i]) for i, b in self.tableau.weights])

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
