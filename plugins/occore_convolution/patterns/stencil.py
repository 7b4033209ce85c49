"""Banded matrices with one stencil in all rows: a 1-D convolution with zeros outside (Toeplitz).

(K x)_i = Σ_k θ_k x_{i + k − centre}, a correlation, as everywhere in this plugin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from occore import InputError
from occore_convolution.patterns.pattern import Entries, Pattern


@dataclass(frozen=True)
class Stencil(Pattern):
    """An odd number of parameters, the stencil."""

    n: int
    points: int = 3

    def __post_init__(self) -> None:
        if self.points % 2 == 0 or self.points > self.n:
            raise InputError(
                f"a stencil has an odd number of points, at most as many as the {self.n} entries "
                f"of the state; got {self.points}"
            )

    @property
    def parameters(self) -> int:
        """The points of the stencil."""
        return self.points

    def entries(self) -> Entries:
        """θ_k at (i, i + k − centre), where that is a column."""
        i, k = (index.ravel() for index in np.indices((self.n, self.points)))
        j = i + k - self.points // 2
        inside = (j >= 0) & (j < self.n)
        return i[inside], j[inside], k[inside], np.ones(np.count_nonzero(inside))
