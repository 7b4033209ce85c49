"""Randomised subspace iteration with a Chebyshev filter: products only, in blocks.

    X ← orthonormal basis of T_m(ℓ(L)) X,    ℓ maps [a, b] to [−1, 1]

T_m is at most one on [a, b], which holds the eigenvalues that are not wanted, and grows fast below
a. b bounds the spectrum; a is the largest Ritz value of the present block, which has more vectors
than are wanted. Halko, Martinsson and Tropp, SIAM Review 53 (2011), 217–288 (random start,
oversampling); Zhou, Saad, Tiago and Chelikowsky, J. Comput. Phys. 219 (2006), 172–184 (filter).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from occore import Array, ComputationError
from occore_semisupervised.eigen.eigenpairs import Eigenpairs, require_count, upper_bound

DEGREE = 40
EXTRA = 10
MOST_ITERATIONS = 200


def randomised(L: Any, count: int, rng: np.random.Generator, tolerance: float = 1e-9) -> Eigenpairs:
    """The smallest `count` eigenpairs of a symmetric matrix (n, n).

    tolerance: of residual norms, as a share of the largest eigenvalue. Raises ComputationError
    where they do not come down to it in MOST_ITERATIONS.
    """
    require_count(L, count)
    n, bound = L.shape[0], upper_bound(L) or 1.0
    block = min(count + EXTRA, n)
    if block == n:
        return Eigenpairs.of(L, np.eye(n)).first(count)
    pairs = Eigenpairs.of(L, rng.standard_normal((n, block)))
    for _ in range(MOST_ITERATIONS):
        pairs = Eigenpairs.of(L, _filtered(L, pairs.vectors, float(pairs.values[-1]), bound))
        if np.all(pairs.residuals[:count] <= tolerance * bound):
            return pairs.first(count)
    raise ComputationError(
        f"randomised iteration left residuals of {pairs.residuals[:count].max():.3g} after "
        f"{MOST_ITERATIONS} iterations; take lanczos"
    )


def _filtered(L: Any, X: Array, a: float, b: float) -> Array:
    """T_m(ℓ(L)) X by the three-term recurrence, scaled to norm one as it grows."""
    centre, half = (a + b) / 2, (b - a) / 2
    before, Y = X, (L @ X - centre * X) / half
    for _ in range(DEGREE - 1):
        before, Y = Y, 2 / half * (L @ Y - centre * Y) - before
        size = np.linalg.norm(Y, axis=0)
        before, Y = before / size, Y / size
    return Y
