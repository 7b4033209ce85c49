"""Small dynamics for examples and tests: one with a known solution, one that has everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from occore.arrays import Array, Controls, array_namespace
from occore.dynamics import Dynamics
from occore.layout import Layout
from occore.linearization import Linearization


@dataclass(frozen=True)
class Decay(Dynamics):
    """dx/dt = −x: the solution is x₀ e^(−t)."""

    controls: ClassVar[Layout] = Layout({})

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """−x."""
        return -x

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """−x and its derivative −1."""
        return -x, DecayLinearization()


@dataclass(frozen=True)
class DecayLinearization(Linearization):
    """dy = −dx."""

    def jvp(self, dx: Array, du: Controls) -> Array:
        """−dx."""
        return -dx

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """−py."""
        return -py, {}

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """None: the map is linear."""
        return 0 * dx, {}


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


def decay() -> Decay:
    """dx/dt = −x."""
    return Decay()
