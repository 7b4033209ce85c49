"""Small dynamics, a control space and a step, for examples and tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import scipy.sparse

from occore.arrays import Array, Controls, array_namespace
from occore.controls import ControlSpace
from occore.discretization import Discretization
from occore.dynamics import Dynamics
from occore.layout import Layout
from occore.linearization import Linearization, LinearMap


@dataclass(frozen=True)
class Decay(Dynamics):
    """dx/dt = −x: the solution is x₀ e^(−t)."""

    controls: ClassVar[Layout] = Layout({})

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """−x."""
        return -x

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """−x and its derivative −1."""
        return -x, LinearMap(lambda dx: -dx, lambda py: -py)


@dataclass(frozen=True)
class Tanh(Dynamics):
    """f = tanh(K x + b) with x of shape (samples, n) and `width` outputs; a layer or a field."""

    state_shape: tuple[int, ...]
    width: int

    @property
    def controls(self) -> Layout:
        """K (width, n) and b (width,)."""
        return Layout({"K": (self.width, *self.state_shape), "b": (self.width,)})

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(width,)."""
        return (self.width,)

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """tanh(K x + b)."""
        return array_namespace(x).tanh(x @ u["K"].T + u["b"])

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and the derivative, from the value alone."""
        s = self(t, x, u)
        return s, TanhLinearization(x, u["K"], s)

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """Standard normal numbers."""
        return self.controls.random(rng)


@dataclass(frozen=True)
class TanhLinearization(Linearization):
    """With s = tanh(z): s' = 1 − s², s'' = −2 s (1 − s²)."""

    x: Array
    K: Array
    s: Array

    def jvp(self, dx: Array, du: Controls) -> Array:
        """s' (K dx + dK x + db)."""
        return (1 - self.s**2) * (dx @ self.K.T + self.x @ du["K"].T + du["b"])

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """Kᵀ pz, pz xᵀ and pz with pz = s' py."""
        pz = (1 - self.s**2) * py
        return pz @ self.K, {"K": pz.T @ self.x, "b": array_namespace(py).sum(pz, axis=0)}

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """The directional derivative of `vjp`."""
        xp, s1 = array_namespace(py), 1 - self.s**2
        pz = s1 * py
        dpz = -2 * self.s * s1 * (dx @ self.K.T + self.x @ du["K"].T + du["b"]) * py
        K = dpz.T @ self.x + pz.T @ dx
        return dpz @ self.K + pz @ du["K"], {"K": K, "b": xp.sum(dpz, axis=0)}


@dataclass(frozen=True)
class Ramp(ControlSpace):
    """u(s) = (1 − s) c₀ + s c₁: controls that vary within a step."""

    def size(self, steps: int) -> int:
        """Two."""
        return 2

    def basis(self, steps: int, times: Array, inside: Array) -> Any:
        """(1 − s, s)."""
        times = np.asarray(times)
        return scipy.sparse.csr_array(np.stack([1 - times, times], axis=1))

    def nodes(self, steps: int) -> Array:
        """Both ends."""
        return np.array([0.0, 1.0])


class MidpointTableau(NamedTuple):
    """The coefficients of `Midpoint`; both stages use the control in the middle."""

    matrix: tuple[tuple[float, ...], ...] = ((0.0, 0.0), (0.5, 0.0))
    b: tuple[float, ...] = (0.0, 1.0)
    times: tuple[float, ...] = (0.0, 0.5)
    places: tuple[int, ...] = (0, 0)
    fields: tuple[int, ...] = ()


@dataclass(frozen=True)
class Midpoint(Discretization):
    """x + h f(t + h/2, x + h/2 f(t, x)), controls at t + h/2: a step for tests of others."""

    order: ClassVar[int] = 2
    abscissae: ClassVar[tuple[float, ...]] = (0.5,)
    tableau: ClassVar[MidpointTableau] = MidpointTableau()

    def step(self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls) -> Array:
        """Both stages use the control in the middle."""
        u = {name: values[0] for name, values in control.items()}
        return x + h * dynamics(t + h / 2, x + h / 2 * dynamics(t, x, u), u)

    def linearize_step(
        self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls
    ) -> tuple[Array, Linearization]:
        """The step, and the chain rule through its two stages."""
        u = {name: values[0] for name, values in control.items()}
        k, first = dynamics.linearize(t, x, u)
        f, second = dynamics.linearize(t + h / 2, x + h / 2 * k, u)
        return x + h * f, MidpointLinearization(h, first, second)


@dataclass(frozen=True)
class MidpointLinearization(Linearization):
    """The two stages of `Midpoint`."""

    h: float
    start: Linearization
    middle: Linearization

    def jvp(self, dx: Array, du: Controls) -> Array:
        """dx + h d f."""
        u = {name: values[0] for name, values in du.items()}
        dX = dx + self.h / 2 * self.start.jvp(dx, u)
        return dx + self.h * self.middle.jvp(dX, u)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """Back through the second stage, then the first."""
        pm, pu = self.middle.vjp(self.h * py)
        px, qu = self.start.vjp(self.h / 2 * pm)
        return py + pm + px, {name: (pu[name] + qu[name])[None] for name in pu}

    @property
    def curvature(self):
        """Where the dynamics has one."""
        return None if self.start.curvature is None else self._curvature

    def _curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        assert self.start.curvature is not None and self.middle.curvature is not None  # noqa: S101
        u = {name: values[0] for name, values in du.items()}
        dX = dx + self.h / 2 * self.start.jvp(dx, u)
        pm, _ = self.middle.vjp(self.h * py)
        dpm, dpu = self.middle.curvature(self.h * py, dX, u)
        hx, hu = self.start.curvature(self.h / 2 * pm, dx, u)
        gx, gu = self.start.vjp(self.h / 2 * dpm)
        return dpm + hx + gx, {n: (dpu[n] + hu[n] + gu[n])[None] for n in dpu}


def decay() -> Decay:
    """dx/dt = −x."""
    return Decay()
