"""Piecewise constant controls: u(s) = c_k on interval k of K equal intervals."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import scipy.sparse
from pydantic import Field

from occore import Array, ControlSpace, Example


@dataclass(frozen=True)
class PiecewiseConstant(ControlSpace):
    """Jumps at the ends of the intervals, constant inside; order 1 for smooth controls."""

    intervals: Annotated[
        int | None, Field(gt=0, description="number of intervals; one a step where it is not given")
    ] = None

    def size(self, steps: int) -> int:
        """K, the number of intervals."""
        return self.intervals or steps

    def basis(self, steps: int, times: Array, inside: Array) -> Any:
        """One at the interval that holds the point inside the step."""
        size = self.size(steps)
        k = np.clip(np.floor(np.asarray(inside) * size).astype(int), 0, size - 1)
        rows = np.arange(len(k))
        return scipy.sparse.csr_array((np.ones(len(k)), (rows, k)), shape=(len(k), size))

    def derivative_basis(self, steps: int, times: Array, inside: Array, order: int) -> Any:
        """Zero inside the intervals."""
        return scipy.sparse.csr_array((len(times), self.size(steps)))

    def nodes(self, steps: int) -> Array:
        """The middles of the intervals."""
        size = self.size(steps)
        return (np.arange(size) + 0.5) / size

    def breaks(self, steps: int) -> Array:
        """The ends of the intervals inside the phase."""
        return np.arange(1, self.size(steps)) / self.size(steps)

    @classmethod
    def example(cls) -> Example:
        """Two intervals, 1 and then 3: by hand."""
        return Example(
            cls(intervals=2),
            steps=4,
            times=[0.1, 0.4, 0.6],
            u={"c": [1.0, 3.0]},
            value={"c": [1.0, 1.0, 3.0]},
        )
