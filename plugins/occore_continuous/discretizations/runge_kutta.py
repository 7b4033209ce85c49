"""Runge–Kutta steps stage by stage, and their exact derivatives from those of the stages.

    X_i = x + h Σ_{j<i} a_ij k_j,    k_i = κ_i(X_i, u_i),    y = x + h Σ_i b_i k_i

κ_i is f at the stage time; for an implicit stage it is the solution k of k = f(X + h a_ii k, u).

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

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from occore import Array, Controls, Dynamics, Linearization
from occore_continuous.discretizations.stages import Terms, add, at, combine, gather, weighted_sum
from occore_continuous.discretizations.tableau import Tableau, Weights

Stage = Callable[[int, Array], Array]
"""κ: the value k of stage i at the argument X."""


def step(
    tableau: Tableau, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls
) -> Array:
    """The state at t + h of an explicit method."""
    return advance(tableau, explicit(tableau, dynamics, t, h, control), h, x)


def linearize_step(
    tableau: Tableau, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls
) -> tuple[Array, Linearization]:
    """The state at t + h of an explicit method, and its derivative."""
    parts: list[Linearization] = []

    def stage(i: int, X: Array) -> Array:
        u = at(control, tableau.places[i])
        k, part = dynamics.linearize(t + tableau.times[i] * h, X, u)
        parts.append(part)
        return k

    return advance(tableau, stage, h, x), RungeKuttaLinearization(tableau, h, tuple(parts))


def step_with_error(
    tableau: Tableau, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls
) -> tuple[Array, Array]:
    """The state of `step`, and its difference from that of the embedded method."""
    return advance_with_error(tableau, explicit(tableau, dynamics, t, h, control), h, x)


def dense_output(
    tableau: Tableau, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls, s: Array
) -> Array:
    """States (M, samples, …) at t + s h, s (M,)."""
    return interpolate(tableau, explicit(tableau, dynamics, t, h, control), h, x, s)


def explicit(tableau: Tableau, dynamics: Dynamics, t: float, h: float, control: Controls) -> Stage:
    """The stages of an explicit method: f at the stage times."""

    def stage(i: int, X: Array) -> Array:
        return dynamics(t + tableau.times[i] * h, X, at(control, tableau.places[i]))

    return stage


def advance(tableau: Tableau, stage: Stage, h: float, x: Array) -> Array:
    """x + h Σ b_i k_i."""
    k = stage_values(tableau, stage, h, x, tableau.active)
    return combine(x, _terms(tableau.weights, h, k))


def advance_with_error(tableau: Tableau, stage: Stage, h: float, x: Array) -> tuple[Array, Array]:
    """The same, and h Σ (b_i − b̂_i) k_i."""
    error = tableau.error
    k = stage_values(tableau, stage, h, x, max(tableau.active, 1 + error[-1][0]))
    return combine(x, _terms(tableau.weights, h, k)), weighted_sum(_terms(error, h, k))


def interpolate(tableau: Tableau, stage: Stage, h: float, x: Array, s: Array) -> Array:
    """x + h Σ b_i(s) k_i, (M, samples, …)."""
    weights = dense_weights(tableau, s)
    return weigh(weights, stage_values(tableau, stage, h, x, len(weights)), h, x)


def dense_weights(tableau: Tableau, s: Array) -> list[Array]:
    """b_i(s), each (M,)."""
    assert tableau.dense is not None, "the method says that it has dense output"  # noqa: S101
    return [np.asarray(w) for w in tableau.dense(np.asarray(s, float))]


def weigh(weights: list[Array], k: list[Array], h: float, x: Array) -> Array:
    """x + h Σ w_i k_i for weights w_i (M,), (M, samples, …)."""
    columns = (w.astype(x.real.dtype).reshape(-1, *(1,) * x.ndim) for w in weights)
    return x + h * sum(w * ki for w, ki in zip(columns, k, strict=True))


def stage_values(tableau: Tableau, stage: Stage, h: float, x: Array, count: int) -> list[Array]:
    """k of the first `count` stages, one after the other."""
    k: list[Array] = []
    for i in range(count):
        k.append(stage(i, combine(x, _terms(tableau.rows[i], h, k))))
    return k


@dataclass(frozen=True)
class RungeKuttaLinearization(Linearization):
    """Products of a step from those of its stages, κ_i' in `parts`."""

    tableau: Tableau
    h: float
    parts: tuple[Linearization, ...]

    def jvp(self, dx: Array, du: Controls) -> Array:
        """dx + h Σ b_i dk_i."""
        _, dk = self._tangents(dx, du)
        return combine(dx, _terms(self.tableau.weights, self.h, dk))

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
                first, first_u = part.vjp(weighted_sum(_terms(self.tableau.columns[i], self.h, dg)))
                dg[i], dgu[i] = dg[i] + first, add(dgu[i], first_u)
        return weighted_sum([(1.0, d) for d in dg]), self._gather(dgu)

    def _tangents(self, dx: Array, du: Controls) -> tuple[list[Array], list[Array]]:
        """dX_i and dk_i."""
        dX: list[Array] = []
        dk: list[Array] = []
        for i, part in enumerate(self.parts):
            dX.append(combine(dx, _terms(self.tableau.rows[i], self.h, dk)))
            dk.append(part.jvp(dX[i], at(du, self.tableau.places[i])))
        return dX, dk

    def _stage_adjoint(self, i: int, p: Array, g: list[Array]) -> Array:
        """pk_i = h (b_i p + Σ_{j>i} a_ji g_j)."""
        b, terms = float(self.tableau.b[i]), _terms(self.tableau.columns[i], self.h, g)
        return weighted_sum([(self.h * b, p), *terms] if b != 0 else terms)

    def _gather(self, gu: list[Controls]) -> Controls:
        return gather(gu, self.tableau.places, len(self.tableau.abscissae))


def _terms(weights: Weights, h: float, k: list[Array]) -> Terms:
    return [(h * w, k[j]) for j, w in weights]
