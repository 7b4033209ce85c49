"""An objective to check whole problems with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from occore.arrays import Array, array_namespace
from occore.objective import ObjectiveLinearization, TerminalObjective


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
