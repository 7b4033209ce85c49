"""Stages one after the other, and the exact derivative of the step from those of its stages.

    X_i = x + h Σ_{j<i} a_ij k_j,    k_i = κ_i(X_i, u_i),    y = x + h Σ_i b_i k_i

κ_i is f at the stage time; where a_ii ≠ 0 it is the solution k of k = f(X + h a_ii k, u). Stages of
a split dynamics (additive methods) belong to one part or the other.

    tangent    dk_i = κ_i' (dx + h Σ_j a_ij dk_j, du_i),    dy = dx + h Σ_i b_i dk_i
    adjoint    pk_i = h (b_i p + Σ_{j>i} a_ji g_j),    (g_i, gu_i) = κ_i'ᵀ pk_i,    px = p + Σ_i g_i
    second     dpk_i = h Σ_{j>i} a_ji dg_j,
               (dg_i, dgu_i) = d(κ_i'ᵀ)[dX_i, du_i] pk_i + κ_i'ᵀ dpk_i,    dpx = Σ_i dg_i

Where every b_i ≠ 0, g_i = h b_i κ_xᵀ p_i makes the adjoint the Runge–Kutta method with
ā_ij = b_j − b_j a_ji / b_i on dp/dt = −f_xᵀ p; the form above needs no division.

    symbol       code              meaning
    X_i, k_i     X, k              argument and value of stage i
    κ_i          parts             linearizations of the stages
    p, px, pu    p, px, pu         adjoint of y, of x, of u at each abscissa; a leading d: tangent

Hairer, Nørsett and Wanner I, section II.1; W. W. Hager, Runge–Kutta methods in optimal control and
the transformed adjoint system, Numer. Math. 87 (2000), 247–282.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from occore import Array, Controls, Dynamics, Linearization
from occore_continuous.discretizations.implicit_stages import (
    Equations,
    ImplicitStage,
    SolvedStages,
    solve,
)
from occore_continuous.discretizations.stage_systems import Solver
from occore_continuous.discretizations.stages import add, at, combine, gather, scaled, weighted_sum
from occore_continuous.discretizations.tableau import Tableau

Fields = Sequence[Dynamics]
"""The dynamics, or the parts of a split one."""


@dataclass(frozen=True)
class SuccessiveStages:
    """The stages of a step with a triangular matrix a; `solver` serves those with a_ii ≠ 0."""

    tableau: Tableau
    fields: Fields
    t: float
    h: float
    control: Controls
    solver: Solver = "auto"

    def values(self, x: Array, count: int) -> list[Array]:
        """k of the first `count` stages."""
        return self._march(self._value, x, count)

    def linearize(self, x: Array) -> tuple[list[Array], Linearization]:
        """k of the stages that the step uses, and the derivative of the step."""
        parts: list[Linearization] = []

        def stage(i: int, X: Array) -> Array:
            k, part = self._linearize(i, X)
            parts.append(part)
            return k

        k = self._march(stage, x, self.tableau.active)
        return k, SuccessiveLinearization(self.tableau, self.h, tuple(parts))

    def _march(self, stage: Callable[[int, Array], Array], x: Array, count: int) -> list[Array]:
        k: list[Array] = []
        for i in range(count):
            k.append(stage(i, combine(x, scaled(self.tableau.rows[i], self.h, k))))
        return k

    def _value(self, i: int, X: Array) -> Array:
        """κ_i: k of stage i, where X holds the stages before it."""
        if self.tableau.matrix[i][i] != 0:
            return solve(self._equations(i), [X])[0]
        return self._field(i)(self._time(i), X, self._instant(i))

    def _linearize(self, i: int, X: Array) -> tuple[Array, Linearization]:
        """The same, and its derivative with respect to (X, u)."""
        if self.tableau.matrix[i][i] != 0:
            equations = self._equations(i)
            k = solve(equations, [X])
            return k[0], ImplicitStage(SolvedStages.at(equations, [X], k))
        return self._field(i).linearize(self._time(i), X, self._instant(i))

    def _equations(self, i: int) -> Equations:
        a = self.tableau.matrix[i][i]
        times, controls = [self._time(i)], [self._instant(i)]
        return Equations(self.solver, self._field(i), self.h, [[a]], times, controls)

    def _field(self, i: int) -> Dynamics:
        return self.fields[self.tableau.field(i)]

    def _time(self, i: int) -> float:
        return self.t + self.tableau.times[i] * self.h

    def _instant(self, i: int) -> Controls:
        return at(self.control, self.tableau.places[i])


@dataclass(frozen=True)
class SuccessiveLinearization(Linearization):
    """Products of a step from those of its stages, κ_i' in `parts`."""

    tableau: Tableau
    h: float
    parts: tuple[Linearization, ...]

    def jvp(self, dx: Array, du: Controls) -> Array:
        """dx + h Σ b_i dk_i."""
        _, dk = self._tangents(dx, du)
        return combine(dx, scaled(self.tableau.weights, self.h, dk))

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """Stages from last to first; px = py + Σ g_i."""
        g: list[Array] = [None] * len(self.parts)
        gu: list[Controls] = [{}] * len(self.parts)
        for i in reversed(range(len(self.parts))):
            g[i], gu[i] = self.parts[i].vjp(self._stage_adjoint(i, py, g))
        return combine(py, [(1.0, gi) for gi in g]), self._gather(gu)

    @property
    def curvature(self) -> Callable[[Array, Array, Controls], tuple[Array, Controls]] | None:
        """Where every stage has one."""
        return self._curvature if all(part.curvature for part in self.parts) else None

    def _curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        dX, _ = self._tangents(dx, du)
        g: list[Array] = [None] * len(self.parts)
        dg: list[Array] = [None] * len(self.parts)
        dgu: list[Controls] = [{}] * len(self.parts)
        for i in reversed(range(len(self.parts))):
            part, pk = self.parts[i], self._stage_adjoint(i, py, g)
            assert part.curvature is not None  # noqa: S101 - `curvature` asks for it
            g[i], _ = part.vjp(pk)
            dg[i], dgu[i] = part.curvature(pk, dX[i], at(du, self.tableau.places[i]))
            if self.tableau.columns[i]:
                first, first_u = part.vjp(weighted_sum(scaled(self.tableau.columns[i], self.h, dg)))
                dg[i], dgu[i] = dg[i] + first, add(dgu[i], first_u)
        return weighted_sum([(1.0, d) for d in dg]), self._gather(dgu)

    def _tangents(self, dx: Array, du: Controls) -> tuple[list[Array], list[Array]]:
        """dX_i and dk_i."""
        dX: list[Array] = []
        dk: list[Array] = []
        for i, part in enumerate(self.parts):
            dX.append(combine(dx, scaled(self.tableau.rows[i], self.h, dk)))
            dk.append(part.jvp(dX[i], at(du, self.tableau.places[i])))
        return dX, dk

    def _stage_adjoint(self, i: int, p: Array, g: list[Array]) -> Array:
        """pk_i = h (b_i p + Σ_{j>i} a_ji g_j)."""
        b, terms = float(self.tableau.b[i]), scaled(self.tableau.columns[i], self.h, g)
        return weighted_sum([(self.h * b, p), *terms] if b != 0 else terms)

    def _gather(self, gu: list[Controls]) -> Controls:
        return gather(gu, self.tableau.places, len(self.tableau.abscissae))
