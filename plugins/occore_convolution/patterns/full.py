"""Full matrices: every entry is a parameter, row by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from occore_convolution.patterns.pattern import Entries, Pattern


@dataclass(frozen=True)
class Full(Pattern):
    """n² parameters; Q is the identity."""

    n: int

    @property
    def parameters(self) -> int:
        """n²."""
        return self.n**2

    def entries(self) -> Entries:
        """θ_k is the entry k of vec(K)."""
        k = np.arange(self.n**2)
        return k // self.n, k % self.n, k, np.ones(len(k))
