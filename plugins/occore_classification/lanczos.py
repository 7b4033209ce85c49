"""The smallest Ritz value of the Hessian: a certificate that it is positive semidefinite.

    H Q = Q T + β q eᵀ,    λ_min(H) ≤ λ_min(T)

T is the projection of H onto a Krylov space, by Lanczos with full reorthogonalisation (Golub and
Van Loan, Matrix Computations (2013), section 10.3.1). A negative Ritz value proves that H is
indefinite; a positive one is an upper bound of the smallest eigenvalue, and tight after some tens
of steps where the ends of the spectrum are separated.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg

from occore import Array, Problem, norm

STEPS = 60


def ritz_values(problem: Problem, theta: Array, steps: int = STEPS) -> Array:
    """Eigenvalues of T, ascending, of the Hessian at θ; as many as there are steps, or unknowns."""
    product = problem.at(theta).hessian_product
    start = np.random.default_rng(0).standard_normal(theta.size).astype(theta.dtype)
    basis, alphas, betas = [start / norm(start)], [], []
    for _ in range(min(steps, theta.size)):
        w = product(basis[-1])
        alphas.append(float(w @ basis[-1]))
        Q = np.stack(basis)
        for _ in range(2):  # twice is enough: Giraud et al., Numer. Math. 101 (2005)
            w = w - (Q @ w) @ Q
        betas.append(norm(w))
        # what is left over is rounding: the space is invariant, and T has its eigenvalues
        if betas[-1] <= 100 * float(np.finfo(theta.dtype).eps) * max(map(abs, alphas)):
            break
        basis.append(w / betas[-1])
    return scipy.linalg.eigvalsh_tridiagonal(np.array(alphas), np.array(betas[: len(alphas) - 1]))


def curvature_certificate(problem: Problem, theta: Array) -> dict[str, float]:
    """The smallest and the largest Ritz value of the Hessian."""
    values = ritz_values(problem, theta)
    return {"smallest_ritz_value": float(values[0]), "largest_ritz_value": float(values[-1])}
