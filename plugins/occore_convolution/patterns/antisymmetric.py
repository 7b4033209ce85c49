"""Antisymmetric matrices, Kᵀ = −K: imaginary eigenvalues, so dx/dt = K x keeps ‖x‖."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from occore_convolution.patterns.pattern import Entries, Pattern


@dataclass(frozen=True)
class Antisymmetric(Pattern):
    """n (n − 1)/2 parameters, the entries above the diagonal, row by row."""

    n: int

    @property
    def parameters(self) -> int:
        """n (n − 1)/2."""
        return self.n * (self.n - 1) // 2

    def entries(self) -> Entries:
        """K_ij = θ_k and K_ji = −θ_k for i < j."""
        i, j = np.triu_indices(self.n, 1)
        k, one = np.arange(self.parameters), np.ones(self.parameters)
        join = np.concatenate
        return join([i, j]), join([j, i]), join([k, k]), join([one, -one])
