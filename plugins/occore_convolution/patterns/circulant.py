"""Circulant matrices: periodic convolution with a sequence as long as the state.

K x is the circular convolution of θ and x, so the eigenvalues of K are the DFT of θ, its
eigenvectors the Fourier modes. Gray, Toeplitz and Circulant Matrices: A Review (2006), chapter 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from occore_convolution.patterns.pattern import Entries, Pattern


@dataclass(frozen=True)
class Circulant(Pattern):
    """n parameters, the first column."""

    n: int

    @property
    def parameters(self) -> int:
        """n."""
        return self.n

    def entries(self) -> Entries:
        """K_ij = θ_k with k = i − j modulo n."""
        i, j = (index.ravel() for index in np.indices((self.n, self.n)))
        return i, j, (i - j) % self.n, np.ones(self.n**2)
