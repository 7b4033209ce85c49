"""TSVD: the singular value decomposition, cut off where the data no longer hold against the noise.

    [A; L] = U diag(s) Vᵀ,    Θ_k = Σ_{i ≤ k} v_i (u_iᵀ [B; 0]) / s_i

    option        k
    rank          as given
    cutoff        the number of s_i > cutoff · s_1
    noise_level   the smallest with ‖[A; L] Θ_k − [B; 0]‖ ≤ safety · noise_level (discrepancy)

Hansen, Discrete Inverse Problems (2010), sections 4.2 and 5.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import scipy.linalg
from pydantic import Field

from occore import Array, Example, InputError
from occore_least_squares.direct import DirectSolver, line
from occore_least_squares.iteration import NoiseLevel, Safety
from occore_least_squares.svd import expansion, numerical_rank


@dataclass(frozen=True)
class TSVD(DirectSolver):
    """Direct, for problems that hand out their matrices; one iteration."""

    rank: Annotated[
        int | None, Field(gt=0, description="singular values that are kept, at most")
    ] = None
    cutoff: Annotated[
        float | None, Field(ge=0, lt=1, description="relative to the largest singular value")
    ] = None
    noise_level: NoiseLevel = None
    safety: Safety = 1.0

    def __post_init__(self) -> None:
        given = [v for v in (self.rank, self.cutoff, self.noise_level) if v is not None]
        if len(given) != 1:
            raise InputError(
                f"tsvd takes one of rank, cutoff and noise_level; {len(given)} are given"
            )

    def minimise(self, A: Array, B: Array) -> Array:
        """The truncated solution; singular values at rounding level are never used."""
        U, s, Vt = scipy.linalg.svd(A, full_matrices=False)
        rank = min(self._rank(U, s, B), numerical_rank(s, A.shape))
        return expansion(U, s, Vt, B, rank)

    def _rank(self, U: Array, s: Array, B: Array) -> int:
        if self.rank is not None:
            return self.rank
        if self.cutoff is not None:
            return int(np.sum(s > self.cutoff * s[0]))
        assert self.noise_level is not None  # noqa: S101 - one of the three is given
        beta = U.T @ B
        outside = np.sum((B - U @ beta) ** 2)  # of the range; a difference of squares would cancel
        tails = np.cumsum(np.append(np.sum(beta**2, axis=1), outside)[::-1])[::-1]
        return int(np.sum(np.sqrt(tails) > self.safety * self.noise_level))

    @classmethod
    def example(cls) -> Example:
        """A line through (0, 1), (1, 3), (2, 5): y = 1 + 2 x, by hand."""
        return line(cls(rank=2))
