"""Least squares that forgive small errors: what is off by less than a tolerance costs nothing.

    Φ(x; c) = ½ ‖r‖²,    r = e − ε where e > ε,  e + ε where e < −ε,  else 0,    e = x − c

symbol   code        shape                meaning
x, c     x, target   (samples, *shape)    end states and targets
ε        tolerance   ()                   largest error that costs nothing
r        residual    (samples, *shape)

With targets 0 and 1, ε = 0.2 and logistic outputs the error is that to the targets 0.2 and 0.8, and
zero beyond them, so that weights need not grow to reach 0 and 1. So were the family trees trained
by Rumelhart, Hinton and Williams, Nature 323 (1986), as we recall. It is the sum over the samples,
not their mean. The second derivative of Φ jumps at |e| = ε.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from occore import (
    Array,
    Data,
    Example,
    ObjectiveLinearization,
    TerminalObjective,
    array_namespace,
)
from occore_least_squares.least_squares import LeastSquares


@dataclass(frozen=True)
class InsensitiveLeastSquares(TerminalObjective):
    """½ Σ of the squares of what errors exceed the tolerance by."""

    sum_of_squares: ClassVar[bool] = True

    tolerance: Annotated[
        float, Field(ge=0, allow_inf_nan=False, description="ε, errors that cost nothing")
    ] = 0.2

    def residual(self, x: Array, target: Array) -> tuple[Array, Array]:
        """r, and its derivative in x, which is 0 or 1."""
        xp, e = array_namespace(x), x - target
        above, below = e > self.tolerance, e < -self.tolerance
        beyond = xp.where(below, e + self.tolerance, 0 * e)
        r = xp.where(above, e - self.tolerance, beyond)
        return r, xp.where(above, 0 * e + 1, xp.where(below, 0 * e + 1, 0 * e))

    def __call__(self, x: Array, target: Array) -> Array:
        """Φ."""
        r, _ = self.residual(x, target)
        return array_namespace(x).sum(r * r) / 2

    def linearize(self, x: Array, target: Array) -> tuple[Array, ObjectiveLinearization]:
        """Φ and the derivatives, all from r."""
        r, slope = self.residual(x, target)
        return array_namespace(x).sum(r * r) / 2, InsensitiveLinearization(r, slope)

    def metrics(self, x: Array, data: Data) -> dict[str, float | Array]:
        """Those of least squares, the largest error, and the share of samples that have one > ε."""
        largest = np.max(np.abs(x - data.targets).reshape(x.shape[0], -1), axis=1)
        return {
            **LeastSquares().metrics(x, data),
            "largest_error": float(np.max(largest)),
            "outside": float(np.mean(largest > self.tolerance)),
        }

    @classmethod
    def example(cls) -> Example:
        """½ (0.8² + 0 + 0.3²) with ε = 0.2, by hand."""
        return Example(cls(), x=[[1.0, 0.1, 0.5]], target=[[0.0, 0.0, 1.0]], value=0.365)


@dataclass(frozen=True)
class InsensitiveLinearization(ObjectiveLinearization):
    """Gradient r, Hessian 1 where |e| > ε."""

    residual: Array
    slope: Array

    def gradient(self) -> Array:
        """r."""
        return self.residual

    def hessian_product(self, d: Array) -> Array:
        """d where |e| > ε."""
        return self.slope * d

    def gauss_newton_product(self, d: Array) -> Array:
        """All of the Hessian."""
        return self.slope * d

    def residual_jvp(self, d: Array) -> Array:
        """d where |e| > ε."""
        return self.slope * d

    def residual_vjp(self, w: Array) -> Array:
        """w where |e| > ε."""
        return self.slope * w
