"""ROS2: a linearly implicit (Rosenbrock) method of two stages.

    J = f_x(t, x, u₀),    M = 1 − γ h J,    γ = 1 − 1/√2
    M k₁ = f(t, x, u₀),    M k₂ = f(t + h, x + h k₁, u₁) − 2 k₁,    y = x + 3/2 h k₁ + 1/2 h k₂

J. G. Verwer, E. J. Spee, J. G. Blom and W. Hundsdorfer, A second-order Rosenbrock method applied to
photochemical dispersion problems, SIAM J. Sci. Comput. 20 (1999), 1456–1480. Of order 2 for any
matrix J, so the rates of change of f in t and u need no terms of their own.

The derivative of the step contains that of J. With T(q, k) the derivative of ⟨q, f_x k⟩ with
respect to (x, u₀), and dJ that of f_x along (dx, du₀):

    tangent    M dk₁ = f'(dx, du₀) + γ h dJ k₁
               M dk₂ = f'(dx + h dk₁, du₁) − 2 dk₁ + γ h dJ k₂                     at both stages
    adjoint    q₂ = M⁻ᵀ (h/2 p),    (g₂, gu₁) = f'ᵀ q₂
               q₁ = M⁻ᵀ (3/2 h p + h g₂ − 2 q₂)
               (px, pu₀) = (p + g₂, 0) + f'ᵀ q₁ + γ h (T(q₁, k₁) + T(q₂, k₂))
    second     each line differentiated along (dx, du):
               Mᵀ dq₂ = γ h dJᵀ q₂,    Mᵀ dq₁ = h dg₂ − 2 dq₂ + γ h dJᵀ q₁, …

T(q, k) is `curvature(q, k, 0)` of f at the first stage, by the symmetry of second derivatives, and
dJᵀ q the x part of `curvature(q, dx, du₀)`. Directional derivatives of products (dJ k, and that of
T at fixed q and k) come from the complex step: f is linearized at (x + i ε dx, u₀ + i ε du₀), and
the imaginary part of the product, divided by ε = 1e-20, is exact to rounding (ε² is far below it,
and float32 has room for ε). W. Squire and G. Trapp, SIAM Review 40 (1998), 110–112.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar

from occore import Array, Controls, Discretization, Dynamics, Example, Linearization, decay
from occore_continuous.discretizations.stage_systems import Point, SolverOption, StageSystem
from occore_continuous.discretizations.stages import add, at, combine, gather, zeros

GAMMA = 1 - 1 / sqrt(2)
EPSILON = 1e-20

Rate = Callable[[float, Array, Controls], Array]


@dataclass(frozen=True)
class Rosenbrock(Discretization):
    """Linearly implicit, order 2 with an error estimate of order 1 (x + h k₁), L-stable.

    Two linear solves with one matrix a step, no iteration. Tangents and second-order adjoints need
    a model whose arithmetic allows complex numbers; adjoints do not, where f has a `curvature`.
    No dense output.
    """

    order: ClassVar[int] = 2
    error_order: ClassVar[int] = 1
    abscissae: ClassVar[tuple[float, ...]] = (0.0, 1.0)

    solver: SolverOption = "auto"

    def step(self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls) -> Array:
        """x + 3/2 h k₁ + 1/2 h k₂."""
        return self._stages(dynamics, dynamics, t, h, x, control).end

    def step_with_error(
        self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls
    ) -> tuple[Array, Array]:
        """The step, and its difference h/2 (k₁ + k₂) from x + h k₁."""
        stages = self._stages(dynamics, dynamics, t, h, x, control)
        return stages.end, h / 2 * (stages.k1 + stages.k2)

    def linearize_step(
        self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls
    ) -> tuple[Array, Linearization]:
        """The step, and its derivative, that of J included."""
        parts: list[Linearization] = []

        def rate(t: float, X: Array, u: Controls) -> Array:
            f, part = dynamics.linearize(t, X, u)
            parts.append(part)
            return f

        stages = self._stages(dynamics, rate, t, h, x, control)
        return stages.end, RosenbrockLinearization(dynamics, h, stages, parts[0])

    def _stages(
        self, dynamics: Dynamics, rate: Rate, t: float, h: float, x: Array, control: Controls
    ) -> Stages:
        """`rate` evaluates f at the second stage."""
        u = at(control, 0)
        f, part = dynamics.linearize(t, x, u)
        point = Point(t, x, u, part)
        system = StageSystem(self.solver, dynamics, h, [[GAMMA]], [point])
        (k1,) = system.solve([f])
        f = rate(t + h, x + h * k1, at(control, 1))
        (k2,) = system.solve([f - 2 * k1])
        return Stages(point, system, k1, k2, combine(x, [(1.5 * h, k1), (0.5 * h, k2)]))

    @classmethod
    def example(cls) -> Example:
        """dx/dt = −x, h = 1/2: R(z) = (1 + (1 − 2γ) z) / (1 − γ z)² at z = −1/2, by hand."""
        value = [[0.60326348010556270]]
        return Example(cls(), dynamics=decay(), x=[[1.0]], h=0.5, u={}, value=value)


@dataclass(frozen=True)
class Stages:
    """The first stage's point, M, both stages and the end state."""

    point: Point
    system: StageSystem
    k1: Array
    k2: Array
    end: Array


@dataclass(frozen=True)
class RosenbrockLinearization(Linearization):
    """Products as above; `last` is f' at the second stage."""

    dynamics: Dynamics
    h: float
    stages: Stages
    last: Linearization

    def jvp(self, dx: Array, du: Controls) -> Array:
        """dx + 3/2 h dk₁ + 1/2 h dk₂."""
        dk1, dk2 = self._tangents(dx, du, self._displaced(dx, at(du, 0)))
        return combine(dx, [(1.5 * self.h, dk1), (0.5 * self.h, dk2)])

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """From the second stage to the first."""
        h, first, k1, k2 = self.h, self.stages.point.part, self.stages.k1, self.stages.k2
        q1, q2, g2, gu1 = self._adjoints(py)
        g1, gu0 = first.vjp(q1)
        px = py + g2 + g1
        for q, k in ((q1, k1), (q2, k2)):
            Tx, Tu = self._T(q, k)
            px, gu0 = px + GAMMA * h * Tx, _axpy(gu0, GAMMA * h, Tu)
        return px, gather([gu0, gu1], (0, 1), 2)

    @property
    def curvature(self) -> Callable[[Array, Array, Controls], tuple[Array, Controls]] | None:
        """Where f has second derivatives."""
        return self._curvature if self.stages.point.part.curvature else None

    def _curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        h, first, second = self.h, self.stages.point.part, self.last
        assert first.curvature is not None and second.curvature is not None  # noqa: S101
        k1, k2, solve = self.stages.k1, self.stages.k2, self.stages.system.solve_transposed
        du0, du1 = at(du, 0), at(du, 1)
        displaced = self._displaced(dx, du0)
        assert displaced.curvature is not None  # noqa: S101 - that of `first`
        dk1, dk2 = self._tangents(dx, du, displaced)
        q1, q2, _, _ = self._adjoints(py)
        C2, _ = first.curvature(q2, dx, du0)
        (dq2,) = solve([GAMMA * h * C2])
        dg2, dgu1 = second.curvature(q2, dx + h * dk1, du1)
        g, gu = second.vjp(dq2)
        dg2, dgu1 = dg2 + g, add(dgu1, gu)
        C1, dgu0 = first.curvature(q1, dx, du0)
        (dq1,) = solve([h * dg2 - 2 * dq2 + GAMMA * h * C1])
        g, gu = first.vjp(dq1)
        dpx, dgu0 = dg2 + C1 + g, add(dgu0, gu)
        for q, dq, k, dk in ((q1, dq1, k1, dk1), (q2, dq2, k2, dk2)):
            third = _imaginary(displaced.curvature(q, k, zeros(du0)))
            for Tx, Tu in (self._T(dq, k), self._T(q, dk), third):
                dpx, dgu0 = dpx + GAMMA * h * Tx, _axpy(dgu0, GAMMA * h, Tu)
        return dpx, gather([dgu0, dgu1], (0, 1), 2)

    def _displaced(self, dx: Array, du0: Controls) -> Linearization:
        """f' at the first stage, displaced by i ε (dx, du₀)."""
        t, x, u = self.stages.point.t, self.stages.point.X, self.stages.point.u
        moved = {name: u[name] + 1j * EPSILON * du0[name] for name in u}
        return self.dynamics.linearize(t, x + 1j * EPSILON * dx, moved)[1]

    def _tangents(self, dx: Array, du: Controls, displaced: Linearization) -> tuple[Array, Array]:
        """dk₁, dk₂."""
        h, k1, k2, solve = self.h, self.stages.k1, self.stages.k2, self.stages.system.solve
        zero = zeros(at(du, 0))
        dJk1 = displaced.jvp(k1, zero).imag / EPSILON
        dJk2 = displaced.jvp(k2, zero).imag / EPSILON
        (dk1,) = solve([self.stages.point.part.jvp(dx, at(du, 0)) + GAMMA * h * dJk1])
        df = self.last.jvp(dx + h * dk1, at(du, 1))
        (dk2,) = solve([df - 2 * dk1 + GAMMA * h * dJk2])
        return dk1, dk2

    def _adjoints(self, py: Array) -> tuple[Array, Array, Array, Controls]:
        """q₁, q₂, g₂, gu₁."""
        h, solve = self.h, self.stages.system.solve_transposed
        (q2,) = solve([h / 2 * py])
        g2, gu1 = self.last.vjp(q2)
        (q1,) = solve([1.5 * h * py + h * g2 - 2 * q2])
        return q1, q2, g2, gu1

    def _T(self, q: Array, k: Array) -> tuple[Array, Controls]:
        """The derivative of ⟨q, f_x k⟩ with respect to (x, u₀)."""
        zero = zeros(self.stages.point.u)
        curvature = self.stages.point.part.curvature
        if curvature is not None:
            return curvature(q, k, zero)
        return _imaginary(self._displaced(k, zero).vjp(q))


def _imaginary(product: tuple[Array, Controls]) -> tuple[Array, Controls]:
    px, pu = product
    return px.imag / EPSILON, {name: value.imag / EPSILON for name, value in pu.items()}


def _axpy(u: Controls, factor: float, v: Controls) -> Any:
    return {name: value + factor * v[name] for name, value in u.items()}
