"""Forward Euler: x(t + h) ≈ x + h f(t, x, u(t)).

Hairer, Nørsett and Wanner I, section I.7. A residual network is this step: one layer a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from occore import Array, Controls, Discretization, Dynamics, Example, Linearization, decay


@dataclass(frozen=True)
class ForwardEuler(Discretization):
    """Explicit, order 1, one evaluation a step. Unstable on the imaginary axis for every h."""

    order: ClassVar[int] = 1
    abscissae: ClassVar[tuple[float, ...]] = (0.0,)

    def step(self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls) -> Array:
        """x + h f(t, x, u(t))."""
        return x + h * dynamics(t, x, _at_start(control))

    def linearize_step(
        self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls
    ) -> tuple[Array, Linearization]:
        """The step, and its derivative 1 + h f_x, h f_u."""
        f, linearization = dynamics.linearize(t, x, _at_start(control))
        return x + h * f, ForwardEulerLinearization(h, linearization)

    @classmethod
    def example(cls) -> Example:
        """dx/dt = −x, h = 1/2: 1 − 1/2, by hand."""
        return Example(cls(), dynamics=decay(), x=[[1.0]], h=0.5, u={}, value=[[0.5]])


@dataclass(frozen=True)
class ForwardEulerLinearization(Linearization):
    """Products of (1 + h f_x, h f_u)."""

    h: float
    f: Linearization

    def jvp(self, dx: Array, du: Controls) -> Array:
        """dx + h (f_x dx + f_u du)."""
        return dx + self.h * self.f.jvp(dx, _at_start(du))

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """(py + h f_xᵀ py, h f_uᵀ py)."""
        px, pu = self.f.vjp(self.h * py)
        return py + px, _as_stage(pu)

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """h times the curvature of f: the step is affine in f."""
        assert self.f.curvature is not None, "asked for before the sweep"  # noqa: S101
        px, pu = self.f.curvature(self.h * py, dx, _at_start(du))
        return px, _as_stage(pu)


def _at_start(control: Controls) -> Controls:
    return {name: values[0] for name, values in control.items()}


def _as_stage(pu: Controls) -> Controls:
    return {name: values[None] for name, values in pu.items()}
