"""A terminal and a running objective to check whole problems and solves with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from occore.arrays import Array, Controls, array_namespace
from occore.linearization import Linearization
from occore.objective import ObjectiveLinearization, RunningObjective, TerminalObjective


@dataclass(frozen=True)
class HalfSquares(TerminalObjective):
    """½‖x − target‖²."""

    sum_of_squares: ClassVar[bool] = True
    affine_residual: ClassVar[bool] = True

    def __call__(self, x: Array, target: Array) -> Array:
        """The value."""
        return array_namespace(x).sum((x - target) ** 2) / 2

    def linearize(self, x: Array, target: Array) -> tuple[Array, ObjectiveLinearization]:
        """The value and its derivatives; the Hessian is the identity."""
        return self(x, target), HalfSquaresLinearization(x - target)


@dataclass(frozen=True)
class HalfSquaresLinearization(ObjectiveLinearization):
    """Gradient r, Hessian 1."""

    residual: Array

    def gradient(self) -> Array:
        """r."""
        return self.residual

    def hessian_product(self, d: Array) -> Array:
        """d."""
        return d

    def gauss_newton_product(self, d: Array) -> Array:
        """d."""
        return d

    def residual_jvp(self, d: Array) -> Array:
        """d."""
        return d

    def residual_vjp(self, w: Array) -> Array:
        """w."""
        return w


@dataclass(frozen=True)
class Effort(RunningObjective):
    """ℓ = ½ cos(t) ‖x‖² + ⟨b, x⟩ with a control b: a running cost in time, all states, controls."""

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """ℓ of each sample."""
        return array_namespace(x).sum((math.cos(t) / 2 * x + u["b"]) * x, axis=1)

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """ℓ and its derivative."""
        return self(t, x, u), EffortLinearization(math.cos(t), x, u)


@dataclass(frozen=True)
class EffortLinearization(Linearization):
    """dℓ = ⟨cos(t) x + b, dx⟩ + ⟨db, x⟩."""

    cos: float
    x: Array
    u: Controls

    def jvp(self, dx: Array, du: Controls) -> Array:
        """dℓ."""
        slope = self.cos * self.x + self.u["b"]
        return array_namespace(dx).sum(slope * dx + du["b"] * self.x, axis=1)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """p (cos(t) x + b) and Σ p x."""
        weights = py[:, None]
        return weights * (self.cos * self.x + self.u["b"]), self._controls(weights * self.x)

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """p (cos(t) dx + db) and Σ p dx."""
        weights = py[:, None]
        return weights * (self.cos * dx + du["b"]), self._controls(weights * dx)

    def _controls(self, rows: Array) -> Controls:
        others = {name: 0 * value for name, value in self.u.items()}
        return others | {"b": array_namespace(rows).sum(rows, axis=0)}
