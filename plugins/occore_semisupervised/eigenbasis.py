"""Label fit in the span of the smoothest fields: the smallest eigenvectors of the penalty.

    min J(V C) over C (k, columns),    V (n, k): K V = V Λ,    (Vᵀ(F + K)V) C = VᵀB

F is the Hessian of the fit, K = α L that of the penalty. With k = n this is the solution; with
fewer, an approximation whose objective is above it and whose gradient is zero in the span only.
Fergus, Weiss and Torralba, Semi-supervised learning in gigantic image collections (2009).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Array, Example, SparseQuadratic
from occore_semisupervised.direct import DirectSolver
from occore_semisupervised.eigen import Method, smallest_eigenpairs
from occore_semisupervised.path_of_three import path_of_three


@dataclass(frozen=True)
class Eigenbasis(DirectSolver):
    """One eigenproblem, then a system of `count` unknowns a class; one iteration."""

    count: Annotated[int, Field(gt=0, description="k, eigenvectors")] = 50
    method: Annotated[Method, Field(description="how the eigenvectors are found")] = "lanczos"
    seed: Annotated[int, Field(ge=0, description="of the first vectors")] = 0

    def minimise(self, system: SparseQuadratic) -> Array:
        """V C."""
        K = system.penalty.astype(np.float64)
        rng = np.random.default_rng(self.seed)
        V = smallest_eigenpairs(K, min(self.count, K.shape[0]), self.method, rng).vectors
        # least squares rather than a solve: what no label reaches leaves the matrix singular
        C = np.linalg.lstsq(V.T @ (system.H @ V), V.T @ system.B, rcond=None)[0]
        return (V @ C).astype(system.B.dtype)

    @classmethod
    def example(cls) -> Example:
        """All three eigenvectors of three nodes, by hand; see `path_of_three`."""
        return path_of_three(cls(count=3))
