"""Eigenpairs of a symmetric matrix, each with the norm of its residual, and how to compare them.

    r_k = ‖L v_k − λ_k v_k‖,    some eigenvalue of L is within r_k of λ_k (Parlett 1998, 4.5)

Eigenvectors of equal or close eigenvalues are determined only up to a rotation among them, so two
results are compared as subspaces, by the largest angle between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from occore import Array, InputError


@dataclass(frozen=True)
class Eigenpairs:
    """values (k,), increasing; vectors (n, k), orthonormal columns; residuals (k,)."""

    values: Array
    vectors: Array
    residuals: Array

    @classmethod
    def of(cls, L: Any, vectors: Array) -> Eigenpairs:
        """The Ritz pairs of L in the span of some vectors (n, k): Rayleigh–Ritz."""
        Q, _ = np.linalg.qr(vectors)
        LQ = L @ Q
        values, C = np.linalg.eigh((Q.T @ LQ + LQ.T @ Q) / 2)
        V = Q @ C
        return cls(values, V, np.linalg.norm(LQ @ C - values * V, axis=0))

    def first(self, count: int) -> Eigenpairs:
        """Those of the smallest values."""
        return Eigenpairs(self.values[:count], self.vectors[:, :count], self.residuals[:count])


def largest_angle(U: Array, V: Array) -> float:
    """The sine of the largest angle between the spans of orthonormal columns U and V (n, k)."""
    return float(np.linalg.norm(U - V @ (V.T @ U), 2))


def require_count(L: Any, count: int) -> None:
    """Raise InputError where a matrix does not have so many eigenvalues."""
    if not 0 < count <= L.shape[0]:
        raise InputError(f"{count} eigenpairs are asked for; the matrix has {L.shape[0]}")


def upper_bound(L: Any) -> float:
    """A number that no eigenvalue exceeds: the largest absolute row sum (Gershgorin)."""
    return float(abs(L).sum(axis=1).max())
