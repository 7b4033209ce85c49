"""Diagonal matrices: each feature is scaled by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from occore_convolution.patterns.pattern import Entries, Pattern


@dataclass(frozen=True)
class Diagonal(Pattern):
    """n parameters, the diagonal."""

    n: int

    @property
    def parameters(self) -> int:
        """n."""
        return self.n

    def entries(self) -> Entries:
        """K_ii = θ_i."""
        i = np.arange(self.n)
        return i, i, i, np.ones(self.n)
