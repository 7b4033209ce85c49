"""Implicit stages: their values by Newton's iteration, and their exact derivatives.

    k_i = f(t_i, X_i, u_i),    X_i = r_i + h Σ_j a_ij k_j,    i = 1 … m coupled stages

defines k as a function of (r, u). With M v = (v_i − h Σ_j a_ij f_x(X_i) v_j)_i, differentiate:

    tangent    M dk = (f_x dr_i + f_u du_i)_i
    adjoint    q = M⁻ᵀ pk,    (g_i, gu_i) = (f_xᵀ q_i, f_uᵀ q_i), the adjoints of r_i and u_i
    second     Mᵀ q = pk, that is q_j − h Σ_i a_ij f_xᵀ(X_i) q_i = pk_j, at fixed pk along (dr, du):
               dX_i = dr_i + h Σ_j a_ij dk_j,    (C_i, Cu_i) = d(f_xᵀ, f_uᵀ)[dX_i, du_i] q_i,
               Mᵀ dq = (h Σ_i a_ij C_i)_j,
               (dg_i, dgu_i) = (C_i + f_xᵀ dq_i, Cu_i + f_uᵀ dq_i)

This is exact at the exact solution, hence Newton's iteration goes on to rounding. Hairer and Wanner
II, section IV.8 (Newton's iteration); Griewank and Walther, Evaluating Derivatives (2008), chapter
15 (implicit functions).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from occore import Array, ComputationError, Controls, Dynamics, Linearization
from occore_continuous.discretizations.stage_systems import (
    Arrays,
    Matrix,
    Point,
    Solver,
    StageSystem,
)
from occore_continuous.discretizations.stages import add, combine

MAX_ITERATIONS = 50


@dataclass(frozen=True)
class Equations:
    """The equations of m coupled stages at times t_i with controls u_i."""

    solver: Solver
    field: Dynamics
    h: float
    a: Matrix
    times: Sequence[float]
    controls: Sequence[Controls]

    def arguments(self, r: Arrays, k: Arrays) -> Arrays:
        """X."""
        return [
            combine(ri, [(self.h * a, kj) for a, kj in zip(row, k, strict=True) if a != 0])
            for ri, row in zip(r, self.a, strict=True)
        ]

    def points(self, X: Arrays) -> tuple[Arrays, list[Point]]:
        """Values and linearizations of f at the stages."""
        values, points = [], []
        for t, Xi, u in zip(self.times, X, self.controls, strict=True):
            f, part = self.field.linearize(t, Xi, u)
            values.append(f)
            points.append(Point(t, Xi, u, part))
        return values, points

    def system(self, points: Sequence[Point]) -> StageSystem:
        """M at these points."""
        return StageSystem(self.solver, self.field, self.h, self.a, points)


def solve(equations: Equations, r: Arrays) -> Arrays:
    """k, by Newton's iteration from k = 0 to rounding.

    M is made anew only while the last one makes the corrections shrink by less than a factor 10.
    The iteration ends where the correction of X is of the size of its rounding, or is small and
    shrinks no more. Raises ComputationError, with t, h and the worst sample, where it does not end.
    """
    h, eps = equations.h, np.finfo(r[0].dtype).eps
    k = residual = [0 * ri for ri in r]
    system, old, iterations = None, np.inf, 0
    while iterations < MAX_ITERATIONS:
        iterations += 1
        X = equations.arguments(r, k)
        if system is None:
            values, points = equations.points(X)
            system = equations.system(points)
        else:
            values = [
                equations.field(t, Xi, u)
                for t, Xi, u in zip(equations.times, X, equations.controls, strict=True)
            ]
        residual = [f - ki for f, ki in zip(values, k, strict=True)]
        correction = system.solve(residual)
        k = [ki + di for ki, di in zip(k, correction, strict=True)]
        change = _ratio(h, correction, X)
        if change <= 2 * eps or (change <= np.sqrt(eps) and change > old / 2):
            return k
        if not np.isfinite(change):
            break
        if change > old / 10:
            system = None
        old = change
    rests, sizes = _largest(residual), _largest(r)
    worst = int(np.argmax(rests))
    raise ComputationError(
        "Newton's iteration for an implicit stage did not converge at "
        f"t = {equations.times[0]:.8g}, h = {h:.3g}: after {iterations} iterations the residual of "
        f"sample {worst} is {abs(h) * rests[worst]:.3g} beside a state of {sizes[worst]:.3g}. Take "
        "shorter steps"
    )


@dataclass(frozen=True)
class SolvedStages:
    """Products of the derivative of k as a function of (r, u), at a solution."""

    h: float
    a: Matrix
    points: Sequence[Point]
    system: StageSystem

    @classmethod
    def at(cls, equations: Equations, r: Arrays, k: Arrays) -> SolvedStages:
        """At the solution k."""
        _, points = equations.points(equations.arguments(r, k))
        return cls(equations.h, equations.a, points, equations.system(points))

    def jvp(self, dr: Arrays, du: Sequence[Controls]) -> Arrays:
        """dk."""
        return self.system.solve(
            [point.part.jvp(d, e) for point, d, e in zip(self.points, dr, du, strict=True)]
        )

    def vjp(self, pk: Arrays) -> list[tuple[Array, Controls]]:
        """(g_i, gu_i) of each stage."""
        q = self.system.solve_transposed(pk)
        return [point.part.vjp(qi) for point, qi in zip(self.points, q, strict=True)]

    @property
    def twice(self) -> bool:
        """Whether f has second derivatives."""
        return all(point.part.curvature for point in self.points)

    def curvature(
        self, pk: Arrays, dr: Arrays, du: Sequence[Controls]
    ) -> list[tuple[Array, Controls]]:
        """(dg_i, dgu_i) of each stage."""
        m, h, a = len(self.points), self.h, self.a
        dk = self.jvp(dr, du)
        q = self.system.solve_transposed(pk)
        second = []
        for i, point in enumerate(self.points):
            assert point.part.curvature is not None  # noqa: S101 - `twice` says so
            dX = dr[i] + h * sum(a[i][j] * dk[j] for j in range(m))
            second.append(point.part.curvature(q[i], dX, du[i]))
        C = [h * sum(a[i][j] * second[i][0] for i in range(m)) for j in range(m)]
        dq = self.system.solve_transposed(C)
        result = []
        for point, dqi, (Ci, Cu) in zip(self.points, dq, second, strict=True):
            first, first_u = point.part.vjp(dqi)
            result.append((Ci + first, add(Cu, first_u)))
        return result


@dataclass(frozen=True)
class ImplicitStage(Linearization):
    """One implicit stage as a map κ of (r, u)."""

    stages: SolvedStages

    def jvp(self, dx: Array, du: Controls) -> Array:
        """M⁻¹ (f_x dr + f_u du)."""
        return self.stages.jvp([dx], [du])[0]

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """f_xᵀ q and f_uᵀ q with q = M⁻ᵀ pk."""
        return self.stages.vjp([py])[0]

    @property
    def curvature(self):
        """Where f has second derivatives."""
        return self._curvature if self.stages.twice else None

    def _curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        return self.stages.curvature([py], [dx], [du])[0]


def _ratio(h: float, correction: Arrays, X: Arrays) -> float:
    """The largest of ‖h dk‖ / ‖X‖ over stages and samples; 0 where both are, NaN where one is."""
    pairs = [(abs(h) * _norms(d), _norms(Xi)) for d, Xi in zip(correction, X, strict=True)]
    ratios = [change / (size + (size == 0)) for change, size in pairs]
    return float(np.max(ratios, initial=0.0))


def _norms(a: Array) -> Array:
    return np.linalg.norm(a.reshape(len(a), -1), axis=1)


def _largest(arrays: Arrays) -> Array:
    """The largest modulus in each sample."""
    return np.max([np.max(np.abs(a).reshape(len(a), -1), axis=1) for a in arrays], axis=0)
