"""Cubic spline controls: u(s) = Σ_k B_k(s) c_k with cubic B-splines on K equal intervals.

The knots at both ends have multiplicity four, so that the first and the last coefficient are the
values there. Source: de Boor, A Practical Guide to Splines (2001), ch. IX.
"""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import scipy.sparse
from pydantic import Field

from occore import Array, ControlSpace, Example

DEGREE = 3


@dataclass(frozen=True)
class CubicSpline(ControlSpace):
    """Twice continuously differentiable; order 4 for smooth controls."""

    intervals: Annotated[
        int | None, Field(gt=0, description="number of intervals; one a step where it is not given")
    ] = None

    def size(self, steps: int) -> int:
        """K + 3."""
        return (self.intervals or steps) + DEGREE

    def _knots(self, steps: int) -> Array:
        inner = np.linspace(0.0, 1.0, self.size(steps) - DEGREE + 1)
        return np.concatenate([np.zeros(DEGREE), inner, np.ones(DEGREE)])

    def basis(self, steps: int, times: Array, inside: Array) -> Any:
        """The B-splines; there is nothing one-sided about them."""
        from scipy.interpolate import BSpline

        times = np.clip(np.asarray(times, float), 0.0, 1.0)
        return scipy.sparse.csr_array(BSpline.design_matrix(times, self._knots(steps), DEGREE))

    def derivative_basis(self, steps: int, times: Array, inside: Array, order: int) -> Any:
        """Derivatives of the B-splines; both are continuous."""
        from scipy.interpolate import BSpline

        times = np.clip(np.asarray(times, float), 0.0, 1.0)
        splines = BSpline(self._knots(steps), np.eye(self.size(steps)), DEGREE)
        return scipy.sparse.csr_array(splines.derivative(order)(times))

    def nodes(self, steps: int) -> Array:
        """Greville's abscissae: means of three consecutive knots."""
        knots = self._knots(steps)
        return np.stack([knots[k : k + self.size(steps)] for k in (1, 2, 3)]).mean(axis=0)

    @classmethod
    def example(cls) -> Example:
        """One interval is Bernstein's basis: 8 · 3 s² (1 − s) = 3 at s = 1/2, by hand."""
        return Example(
            cls(intervals=1),
            steps=4,
            times=[0.0, 0.5, 1.0],
            u={"c": [1.0, 0.0, 8.0, 2.0]},
            value={"c": [1.0, 0.125 + 3.0 + 0.25, 2.0]},
        )
