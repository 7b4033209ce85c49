"""Piecewise linear controls: u(s) = (1 − r) c_k + r c_{k+1} on interval k of K equal intervals.

r is the relative time in the interval. De Boor, A Practical Guide to Splines (2001), ch. III.
"""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import scipy.sparse
from pydantic import Field

from occore import Array, ControlSpace, Example


@dataclass(frozen=True)
class PiecewiseLinear(ControlSpace):
    """Continuous, with kinks at the nodes; order 2 for smooth controls."""

    intervals: Annotated[
        int | None, Field(gt=0, description="number of intervals; one a step where it is not given")
    ] = None

    def size(self, steps: int) -> int:
        """K + 1, the number of nodes."""
        return (self.intervals or steps) + 1

    def basis(self, steps: int, times: Array, inside: Array) -> Any:
        """The hat functions of the ends of the interval that holds the point inside the step."""
        intervals, k = self._interval(steps, inside)
        r = np.asarray(times) * intervals - k
        return self._rows(steps, k, 1 - r, r)

    def derivative_basis(self, steps: int, times: Array, inside: Array, order: int) -> Any:
        """The slopes of the hat functions, ∓K; none have a second derivative."""
        intervals, k = self._interval(steps, inside)
        slope = np.full(len(k), float(intervals) if order == 1 else 0.0)
        return self._rows(steps, k, -slope, slope)

    def _interval(self, steps: int, inside: Array) -> tuple[int, Array]:
        """K, and the intervals of the points inside the steps."""
        intervals = self.size(steps) - 1
        k = np.floor(np.asarray(inside) * intervals).astype(int)
        return intervals, np.clip(k, 0, intervals - 1)

    def _rows(self, steps: int, k: Array, left: Array, right: Array) -> Any:
        """A matrix with entries at the ends of the intervals k."""
        rows = np.tile(np.arange(len(k)), 2)
        entries = np.concatenate([left, right]), (rows, np.concatenate([k, k + 1]))
        return scipy.sparse.csr_array(entries, shape=(len(k), self.size(steps)))

    def nodes(self, steps: int) -> Array:
        """The ends of the intervals."""
        return np.linspace(0.0, 1.0, self.size(steps))

    @classmethod
    def example(cls) -> Example:
        """From 1 to 3 to 0 over two intervals: by hand."""
        return Example(
            cls(intervals=2),
            steps=4,
            times=[0.0, 0.25, 0.5, 1.0],
            u={"c": [1.0, 3.0, 0.0]},
            value={"c": [1.0, 2.0, 3.0, 0.0]},
        )
