"""Gaussian elimination in any array library, without pivots, for a few unknowns."""

from __future__ import annotations

from occore import Array, array_namespace


def eliminate(A: Array, b: Array) -> Array:
    """A⁻¹ b for a symmetric positive definite matrix A (n, n) and b (…, n, columns).

    Such a matrix needs no pivots. The Array API has a solver only as an extension, and symbols have
    none.
    """
    xp, n = array_namespace(b), A.shape[0]
    rows = [A[k, :] for k in range(n)]
    sides = [b[..., k, :] for k in range(n)]
    for k in range(n):
        for i in range(k + 1, n):
            factor = rows[i][k] / rows[k][k]
            rows[i], sides[i] = rows[i] - factor * rows[k], sides[i] - factor * sides[k]
    for k in reversed(range(n)):
        for j in range(k + 1, n):
            sides[k] = sides[k] - rows[k][j] * sides[j]
        sides[k] = sides[k] / rows[k][k]
    return xp.stack(sides, axis=-2)
