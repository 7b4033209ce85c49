"""SVD: the least-squares solution of minimum norm, by singular values; small ones can be cut off.

    [A; L] = U diag(s) Vᵀ,    Θ = Σ_{s_i > cutoff · s_1} v_i (u_iᵀ [B; 0]) / s_i

Golub and Van Loan, Matrix Computations (4th ed.), section 5.5.2. A larger cutoff is the truncated
SVD of Hansen, Discrete Inverse Problems (2010), section 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import scipy.linalg
from pydantic import Field

from occore import Array
from occore_least_squares.direct import DirectSolver


@dataclass(frozen=True)
class SVD(DirectSolver):
    """Direct, for problems that hand out their matrices; one iteration."""

    cutoff: Annotated[
        float | None,
        Field(
            ge=0, lt=1, description="relative to the largest singular value; rounding by default"
        ),
    ] = None

    def minimise(self, A: Array, B: Array) -> Array:
        """The solution of minimum norm, without the singular values that are cut off."""
        return truncated(A, B, self.cutoff)


def truncated(A: Array, B: Array, cutoff: float | None) -> Array:
    """Σ v_i (u_iᵀ B) / s_i over the singular values above cutoff · s_1.

    A: (m, n). B: (m, k). Without a cutoff, singular values at rounding level are left out.
    """
    U, s, Vt = scipy.linalg.svd(A, full_matrices=False)
    relative = max(A.shape) * np.finfo(A.dtype).eps if cutoff is None else cutoff
    kept = s > relative * s[0]
    return Vt[kept].T @ ((U[:, kept].T @ B) / s[kept, None])
