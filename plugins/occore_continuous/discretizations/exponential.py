"""Exponential Runge–Kutta steps: the linear part M x exactly, the rest N stage by stage.

    dx/dt = M x + N(t, x, u),    N = f − M x
    X_i = P_i x + h Σ_{j<i} a_ij N_j,    y = E x + h Σ_i b_i N_i,    N_i = N(t + c_i h, X_i, u_i)

with matrices E = e^(hM), P_i = e^(c_i hM), a_ij and b_i, combinations of φ functions of hM.

    tangent    dN_i = f'(dX_i, du_i) − M dX_i
    adjoint    pN_i = h (b_iᵀ p + Σ_{j>i} a_jiᵀ g_j),    (g_i, gu_i) = f'ᵀ pN_i − (Mᵀ pN_i, 0),
               px = Eᵀ p + Σ_i P_iᵀ g_i
    second     dpN_i = h Σ_{j>i} a_jiᵀ dg_j,
               (dg_i, dgu_i) = d(f'ᵀ)[dX_i, du_i] pN_i + f'ᵀ dpN_i − (Mᵀ dpN_i, 0)

M. Hochbruck and A. Ostermann, Exponential integrators, Acta Numerica 19 (2010), 209–286.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from occore import Array, Controls, Dynamics, Linearization
from occore_continuous.discretizations.stages import add, at, gather

Matrices = dict[int, Array]
"""Matrices (n, n) by the number of the stage whose rates they multiply."""


@dataclass(frozen=True, eq=False)
class Coefficients:
    """c, and for one hM the matrices of a method. `places`: of the c_i among the abscissae."""

    c: Sequence[float]
    places: Sequence[int]
    M: Array
    E: Array
    P: Sequence[Array]
    a: Sequence[Matrices]
    b: Matrices


def step(
    method: Coefficients, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls
) -> Array:
    """The state at t + h."""
    return _advance(method, lambda t, X, u: dynamics(t, X, u), t, h, x, control)


def linearize_step(
    method: Coefficients, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls
) -> tuple[Array, Linearization]:
    """The state at t + h, and its derivative."""
    parts: list[Linearization] = []

    def rate(t: float, X: Array, u: Controls) -> Array:
        f, part = dynamics.linearize(t, X, u)
        parts.append(part)
        return f

    y = _advance(method, rate, t, h, x, control)
    return y, ExponentialLinearization(method, h, tuple(parts))


def _advance(
    method: Coefficients,
    rate: Callable[[float, Array, Controls], Array],
    t: float,
    h: float,
    x: Array,
    control: Controls,
) -> Array:
    N: list[Array] = []
    for c, place, P, a in zip(method.c, method.places, method.P, method.a, strict=True):
        X = _affine(P, x, a, N, h)
        N.append(rate(t + c * h, X, at(control, place)) - _times(method.M, X))
    return _affine(method.E, x, method.b, N, h)


@dataclass(frozen=True)
class ExponentialLinearization(Linearization):
    """Products of an exponential step; `parts` are f' at the stages."""

    method: Coefficients
    h: float
    parts: tuple[Linearization, ...]

    def jvp(self, dx: Array, du: Controls) -> Array:
        """E dx + h Σ b_i dN_i."""
        _, dN = self._tangents(dx, du)
        return _affine(self.method.E, dx, self.method.b, dN, self.h)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """Stages from last to first."""
        g: list[Array] = [None] * len(self.parts)
        gu: list[Controls] = [{}] * len(self.parts)
        for i in reversed(range(len(self.parts))):
            g[i], gu[i] = self._pull(i, self._stage_adjoint(i, py, g))
        return _times_transposed(self.method.E, py) + self._start(g), self._gather(gu)

    @property
    def curvature(self) -> Callable[[Array, Array, Controls], tuple[Array, Controls]] | None:
        """Where f has second derivatives."""
        return self._curvature if all(part.curvature for part in self.parts) else None

    def _curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        dX, _ = self._tangents(dx, du)
        g: list[Array] = [None] * len(self.parts)
        dg: list[Array] = [None] * len(self.parts)
        dgu: list[Controls] = [{}] * len(self.parts)
        for i in reversed(range(len(self.parts))):
            part, pN = self.parts[i], self._stage_adjoint(i, py, g)
            assert part.curvature is not None  # noqa: S101 - `curvature` asks for it
            g[i], _ = self._pull(i, pN)
            second, second_u = part.curvature(pN, dX[i], at(du, self.method.places[i]))
            first, first_u = self._pull(i, self._carry(i, 0 * py, dg))
            dg[i], dgu[i] = first + second, add(first_u, second_u)
        return self._start(dg), self._gather(dgu)

    def _tangents(self, dx: Array, du: Controls) -> tuple[list[Array], list[Array]]:
        """dX_i and dN_i."""
        method = self.method
        dX: list[Array] = []
        dN: list[Array] = []
        for part, place, P, a in zip(self.parts, method.places, method.P, method.a, strict=True):
            dX.append(_affine(P, dx, a, dN, self.h))
            dN.append(part.jvp(dX[-1], at(du, place)) - _times(method.M, dX[-1]))
        return dX, dN

    def _pull(self, i: int, pN: Array) -> tuple[Array, Controls]:
        """f'ᵀ pN − (Mᵀ pN, 0) at stage i."""
        g, gu = self.parts[i].vjp(pN)
        return g - _times_transposed(self.method.M, pN), gu

    def _stage_adjoint(self, i: int, p: Array, g: list[Array]) -> Array:
        """pN_i."""
        return self._carry(i, self.h * _times_transposed(self.method.b[i], p), g)

    def _carry(self, i: int, base: Array, g: list[Array]) -> Array:
        """base + h Σ_{j>i} a_jiᵀ g_j."""
        for j in range(i + 1, len(self.parts)):
            if i in self.method.a[j]:
                base = base + self.h * _times_transposed(self.method.a[j][i], g[j])
        return base

    def _start(self, g: list[Array]) -> Array:
        """Σ P_iᵀ g_i."""
        terms = [_times_transposed(P, gi) for P, gi in zip(self.method.P, g, strict=True)]
        return sum(terms[1:], terms[0])

    def _gather(self, gu: list[Controls]) -> Controls:
        return gather(gu, self.method.places, 1 + max(self.method.places))


def _affine(P: Array, x: Array, weights: Matrices, N: list[Array], h: float) -> Array:
    """P x + h Σ w_j N_j."""
    y = _times(P, x)
    for j, w in weights.items():
        y = y + h * _times(w, N[j])
    return y


def _times(A: Array, x: Array) -> Array:
    """A x of each sample."""
    return (x.reshape(len(x), -1) @ A.T).reshape(x.shape)


def _times_transposed(A: Array, x: Array) -> Array:
    """Aᵀ x of each sample."""
    return (x.reshape(len(x), -1) @ A).reshape(x.shape)
