"""M-matrices up to sign: rows that sum to zero, such as −K of a diffusion between n nodes.

For θ ≥ 0 the off-diagonal entries are ≥ 0 and the diagonal is minus their sum: −K is an M-matrix,
the eigenvalues of K have real parts ≤ 0 (Gershgorin), and K 1 = 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from occore_convolution.patterns.pattern import Entries, Pattern


@dataclass(frozen=True)
class MMatrix(Pattern):
    """n (n − 1) parameters, the entries off the diagonal, row by row."""

    n: int

    @property
    def parameters(self) -> int:
        """n (n − 1)."""
        return self.n * (self.n - 1)

    def entries(self) -> Entries:
        """θ_k is +1 at its entry (i, j) and −1 at the diagonal entry (i, i)."""
        i, j = np.nonzero(~np.eye(self.n, dtype=bool))
        k, one = np.arange(self.parameters), np.ones(self.parameters)
        join = np.concatenate
        return join([i, i]), join([j, i]), join([k, k]), join([one, -one])
