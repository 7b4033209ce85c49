"""A field that has everything, at which every discretization is tried.

    f = γ g tanh(K x + b s(t)) + M x,    s = sin(1 + 2 t)

symbol    code           shape                meaning
x         x              (samples, n)         state
K, b, g   u["K"], …      (n, n), (n,), ()     controls; g is a constant, the others vary in time
M         M              (n, n)               the linear part
γ         strength       a number             0 in the linear half of the splitting
a         a              (samples, n)         tanh of the argument
p         py, px, …      like f, x, …         adjoint; a leading d marks a tangent
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from occore.arrays import Array, Controls, array_namespace
from occore.dynamics import Dynamics
from occore.layout import Layout
from occore.linearization import Linearization

MIXED = (
    (-1.0, 0.6, 0.0, 0.1),
    (0.2, -0.5, -0.4, 0.0),
    (0.0, 0.3, -0.8, 0.5),
    (0.2, 0.0, 0.1, -0.3),
)
SEPARABLE = (
    (0.0, 0.0, 1.0, 0.2),
    (0.0, 0.0, -0.3, 0.8),
    (-1.1, 0.3, 0.0, 0.0),
    (0.1, -0.7, 0.0, 0.0),
)
START = {
    "x": [[0.4, -0.3, 0.2, 0.6], [-0.5, 0.1, 0.7, -0.2]],
    "K": [
        [0.5, -0.4, 0.3, 0.2],
        [0.1, 0.6, -0.2, 0.4],
        [-0.3, 0.2, 0.4, 0.5],
        [0.2, 0.3, -0.6, 0.1],
    ],
    "b": [0.3, -0.2, 0.5, 0.1],
    "g": 0.8,
}
"""A point at which nothing vanishes and nothing is stiff."""


@dataclass(frozen=True)
class Field(Dynamics):
    """Nonlinear, nonautonomous, with a Jacobian, a splitting and a linear part.

    Separable: where `blocks` is true, dq/dt depends on p alone and dp/dt on q alone.
    """

    blocks: bool = False
    strength: float = 1.0
    linear: bool = True

    constants = frozenset({"g"})

    @property
    def controls(self) -> Layout:
        """K (4, 4), b (4,) and g ()."""
        return Layout({"K": (4, 4), "b": (4,), "g": ()})

    def linear_part(self) -> Array:
        """M."""
        matrix = np.asarray(SEPARABLE if self.blocks else MIXED)
        return matrix if self.linear else 0 * matrix

    def splitting(self) -> tuple[Field, Field]:
        """The tanh and the linear part."""
        return replace(self, linear=False), replace(self, strength=0.0)

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """f."""
        return self.strength * u["g"] * self._tanh(t, x, u) + x @ self._matrix(x).T

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """f and its derivative."""
        a, M = self._tanh(t, x, u), self._matrix(x)
        part = FieldLinearization(self, x, self._masked(u["K"]), u["g"], a, M, _force(t))
        return self.strength * u["g"] * a + x @ M.T, part

    def jacobian(self, t: float, x: Array, u: Controls) -> Array:
        """f_x, (samples, 4, 4)."""
        slope = self.strength * u["g"] * (1 - self._tanh(t, x, u) ** 2)
        return slope[:, :, None] * self._masked(u["K"]) + self._matrix(x)

    def _tanh(self, t: float, x: Array, u: Controls) -> Array:
        z = x @ self._masked(u["K"]).T + u["b"] * _force(t)
        return array_namespace(x).tanh(z)

    def _matrix(self, x: Array) -> Array:
        return array_namespace(x).asarray(self.linear_part(), dtype=x.dtype)

    def _masked(self, K: Array) -> Array:
        if not self.blocks:
            return K
        mask = np.asarray(SEPARABLE) != 0
        return K * array_namespace(K).asarray(mask, dtype=K.dtype)


def _force(t: float) -> float:
    return math.sin(1 + 2 * t)


@dataclass(frozen=True)
class FieldLinearization(Linearization):
    """With a = tanh(z): a' = 1 − a², a'' = −2 a a'."""

    owner: Field
    x: Array
    K: Array
    g: Array
    a: Array
    M: Array
    force: float

    def jvp(self, dx: Array, du: Controls) -> Array:
        """γ (g a' dz + dg a) + M dx."""
        rest = self.g * (1 - self.a**2) * self._dz(dx, du) + du["g"] * self.a
        return self.owner.strength * rest + dx @ self.M.T

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """With pz = γ g a' p: Kᵀ pz + Mᵀ p, pz xᵀ, s pz, γ ⟨p, a⟩."""
        pz = self.owner.strength * self.g * (1 - self.a**2) * py
        pg = self.owner.strength * array_namespace(py).sum(py * self.a)
        return pz @ self.K + py @ self.M, self._controls(pz, self.x) | {"g": pg}

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """The directional derivative of `vjp`."""
        slope, dz = 1 - self.a**2, self._dz(dx, du)
        pz = self.owner.strength * self.g * slope * py
        dpz = self.owner.strength * (du["g"] - 2 * self.g * self.a * dz) * slope * py
        first, second = self._controls(dpz, self.x), self._controls(pz, dx)
        dpg = self.owner.strength * array_namespace(py).sum(py * slope * dz)
        dpu = {"K": first["K"] + second["K"], "b": first["b"], "g": dpg}
        return dpz @ self.K + pz @ self.owner._masked(du["K"]), dpu

    def _dz(self, dx: Array, du: Controls) -> Array:
        dK = self.owner._masked(du["K"])
        return dx @ self.K.T + self.x @ dK.T + du["b"] * self.force

    def _controls(self, pz: Array, x: Array) -> dict[str, Any]:
        K = self.owner._masked(pz.T @ x)
        return {"K": K, "b": self.force * array_namespace(pz).sum(pz, axis=0)}
