"""Inverse iteration: the power method on the pseudo-inverse, with a subspace.

    X ← orthonormal basis of L⁺X,    L⁺ is the inverse on the complement of the null space N

The null space is known without iterating: one positive vector for each component of the graph. To
apply L⁺ to b ⟂ N, one node of each component is grounded (held at zero), what is left is positive
definite, and the solution is projected back. Parlett, The Symmetric Eigenvalue Problem (1998),
section 4.2 and chapter 14.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from occore import Array, ComputationError
from occore_semisupervised.eigen.eigenpairs import Eigenpairs, require_count, upper_bound
from occore_semisupervised.eigen.factorisation import factorised

MOST_ITERATIONS = 1000
EXTRA = 4
"""Vectors beyond those asked for, so that the last of them converges as well."""

TOLERANCE = 1e-10
"""Residual norms, as a share of the largest eigenvalue."""


def pseudo_inverse(L: Any) -> tuple[Array, Callable[[Array], Array]]:
    """(N, apply): orthonormal null vectors (n, components), and b (n, k) ↦ L⁺ b.

    L: a symmetric graph Laplacian (n, n), combinatorial or symmetric.
    """
    import scipy.sparse.csgraph

    _, label = scipy.sparse.csgraph.connected_components(L, directed=False)
    ground = np.unique(label, return_index=True)[1]
    free = np.setdiff1d(np.arange(L.shape[0]), ground)
    solve = factorised(L[free][:, free]) if free.size else np.copy
    # in each component the null vector that is one at the grounded node: L_ff v_f = −L_fg 1
    N = np.zeros((L.shape[0], len(ground)))
    N[ground, label[ground]] = 1.0
    v = np.ones(L.shape[0])
    v[free] = solve(-np.asarray(L[free][:, ground].sum(axis=1)).ravel())
    N[np.arange(len(v)), label] = v
    N /= np.linalg.norm(N, axis=0)

    def apply(b: Array) -> Array:
        b = b - N @ (N.T @ b)
        x = np.zeros_like(b)
        x[free] = solve(b[free])
        return x - N @ (N.T @ x)

    return N, apply


def inverse_iteration(L: Any, count: int, rng: np.random.Generator) -> Eigenpairs:
    """The smallest `count` eigenpairs of a symmetric graph Laplacian (n, n).

    Raises ComputationError where the residuals do not come down in MOST_ITERATIONS.
    """
    require_count(L, count)
    N, apply = pseudo_inverse(L)
    wanted, n = count - N.shape[1], L.shape[0]
    if wanted <= 0:
        return Eigenpairs.of(L, N).first(count)
    X = rng.standard_normal((n, min(wanted + EXTRA, n - N.shape[1])))
    bound = TOLERANCE * (upper_bound(L) or 1.0)
    pairs = Eigenpairs.of(L, apply(X))
    for _ in range(MOST_ITERATIONS):
        if np.all(pairs.residuals[:wanted] <= bound):
            return Eigenpairs.of(L, np.column_stack([N, pairs.vectors[:, :wanted]]))
        pairs = Eigenpairs.of(L, apply(pairs.vectors))
    raise ComputationError(
        f"inverse iteration left residuals of {pairs.residuals[:wanted].max():.3g} after "
        f"{MOST_ITERATIONS} iterations; take lanczos"
    )
