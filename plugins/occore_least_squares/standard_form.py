"""The path Θ(λ) of Tikhonov's solutions for all λ by one factorisation.

    minimise ½‖A Θ − B‖² + (λ/2)‖L Θ‖²    for any L, as long as A and L have no common null vector

    L = U₁ Σ V₁ᵀ,  W spans its null space,  A W = Q₀ T              Θ = V₁ Σ⁻¹ z + W c
    Ā = (I − Q₀ Q₀ᵀ) A V₁ Σ⁻¹,  B̄ = (I − Q₀ Q₀ᵀ) B                minimise ‖Ā z − B̄‖² + λ‖z‖²
    Ā = Ū diag(s) V̄ᵀ,  β = Ūᵀ B̄                                     z(λ) = V̄ diag(s/(s² + λ)) β

    symbol   code        shape                meaning
    A, B     A, B        (m, n), (m, k)       system; m rows become min(m, n) by QR first
    L        L           (p, n)               penalty
    s, β     s, beta     (r,), (r, k)         singular values of Ā, and the data in their basis
    Y, Θ₀    Y, Theta0   (n, r), (n, k)       Θ(λ) = Y diag(s/(s² + λ)) β + Θ₀
    ν        nullity     number               columns of W, which no λ damps

Eldén, BIT 17 (1977): the transformation to standard form. Hansen, Discrete Inverse Problems
(2010), sections 4.4 and 8.4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from occore import Array, ComputationError


@dataclass(frozen=True)
class TikhonovPath:
    """Θ(λ) and its norms; every method takes λ > 0 of shape (q,) at once."""

    s: Array
    beta: Array
    Y: Array
    Theta0: Array
    Q0: Array
    """The part of the hat matrix that no λ changes is (A Q0)(A Q0)ᵀ, with Q0 (n, ν)."""
    outside: float
    """‖B̄ − Ū β‖², the part of the residual that no λ changes."""
    rows: int

    @property
    def nullity(self) -> int:
        """ν."""
        return self.Q0.shape[1]

    def coefficients(self, lambdas: Array) -> Array:
        """Θ(λ), (q, n, k)."""
        filtered = (self.s / (self.s**2 + lambdas[:, None]))[:, :, None] * self.beta
        return self.Y @ filtered + self.Theta0

    def squares(self, lambdas: Array) -> tuple[Array, Array]:
        """‖A Θ(λ) − B‖² and ‖L Θ(λ)‖², each (q,)."""
        energy = np.sum(self.beta**2, axis=1)
        damped = self.s**2 + lambdas[:, None]
        residual = np.sum((lambdas[:, None] / damped) ** 2 * energy, axis=1) + self.outside
        return residual, np.sum((self.s / damped) ** 2 * energy, axis=1)

    def degrees_of_freedom(self, lambdas: Array) -> Array:
        """Trace of the hat matrix B → A Θ(λ), (q,)."""
        return np.sum(self.s**2 / (self.s**2 + lambdas[:, None]), axis=1) + self.nullity

    def curvature(self, lambdas: Array) -> Array:
        """Curvature of the L-curve (log ‖A Θ − B‖, log ‖L Θ‖), positive at its corner, (q,).

        With ρ = ‖A Θ − B‖², η = ‖L Θ‖² and τ = log λ as the parameter: dρ/dλ = −λ dη/dλ, and η is
        a sum of s² β²/(s² + λ)², so that nothing is differenced. Where one of the norms is zero
        there is no curve, and the result is −∞.
        """
        energy = np.sum(self.beta**2, axis=1) * self.s**2
        damped = self.s**2 + lambdas[:, None]
        rho, eta = self.squares(lambdas)
        first = -2 * np.sum(energy / damped**3, axis=1)  # dη/dλ
        second = 6 * np.sum(energy / damped**4, axis=1)
        eta1, eta2 = lambdas * first, lambdas**2 * second + lambdas * first  # in τ
        rho1, rho2 = -lambdas * eta1, -lambdas * (eta1 + eta2)
        with np.errstate(divide="ignore", invalid="ignore"):
            a1, a2 = rho1 / (2 * rho), rho2 / (2 * rho) - rho1**2 / (2 * rho**2)
            b1, b2 = eta1 / (2 * eta), eta2 / (2 * eta) - eta1**2 / (2 * eta**2)
            kappa = (a1 * b2 - a2 * b1) / (a1**2 + b1**2) ** 1.5
        return np.where(np.isfinite(kappa), kappa, -np.inf)

    def gcv(self, lambdas: Array) -> Array:
        """Generalised cross-validation m ‖A Θ − B‖² / (m − trace of the hat matrix)², (q,).

        ∞ where no degree of freedom is left over. Golub, Heath and Wahba, Technometrics 21 (1979).
        """
        # the difference, written so that it does not cancel where the trace is nearly m
        damped = np.sum(lambdas[:, None] / (self.s**2 + lambdas[:, None]), axis=1)
        rest = self.rows - self.s.size - self.nullity + damped
        squares, result = self.squares(lambdas)[0], np.full(len(lambdas), np.inf)
        return np.divide(self.rows * squares, rest**2, out=result, where=rest > 0)

    def leave_one_out(self, A: Array, B: Array, lambdas: Array) -> Array:
        """Mean square error of each row of (A, B) by the fit to all the others, (q,).

        The residual of the row over 1 − h, h its entry on the diagonal of the hat matrix: Allen's
        PRESS. Products of matrices for all λ at once. Raises ComputationError where h = 1.
        """
        AY, fixed = A @ self.Y, A @ self.Theta0 - B
        inverse = 1 / (self.s**2 + lambdas[:, None])
        leverage = (AY**2) @ inverse.T + np.sum((A @ self.Q0) ** 2, axis=1, keepdims=True)
        if np.any(1 - leverage <= A.shape[0] * np.finfo(A.dtype).eps):
            alone = int(np.argmax(np.max(leverage, axis=1)))
            raise ComputationError(
                f"sample {alone} cannot be left out: without it the others do not determine the "
                "controls. Penalise all of them, or choose λ in another way"
            )
        total = np.zeros(len(lambdas))
        for column in range(B.shape[1]):
            r = AY @ (self.s * inverse * self.beta[:, column]).T + fixed[:, column, None]
            total += np.sum((r / (1 - leverage)) ** 2, axis=0)
        return total / B.size


def tikhonov_path(A: Array, B: Array, L: Array) -> TikhonovPath:
    """The path of ½‖A Θ − B‖² + (λ/2)‖L Θ‖².

    Raises ComputationError where A and L have a common null vector, which no λ determines.
    """
    rows, outside = A.shape[0], 0.0
    if A.shape[0] > A.shape[1]:
        A, B, outside = triangular(A, B)
    L_inverse, W = _pseudo_inverse(L)
    Q0, c = _null_part(A, W)
    X = A @ L_inverse
    reduced, target = X - Q0 @ (Q0.T @ X), B - Q0 @ (Q0.T @ B)
    U, s, Vt = scipy.linalg.svd(reduced, full_matrices=False)
    beta = U.T @ target
    lifted = L_inverse @ Vt.T
    back = W @ c  # W T⁻¹, so that the null part of Θ is W T⁻¹ Q₀ᵀ (B − A V₁ Σ⁻¹ z)
    outside += float(np.sum((target - U @ beta) ** 2))
    Y = lifted - back @ (Q0.T @ (A @ lifted))
    return TikhonovPath(s, beta, Y, back @ (Q0.T @ B), back, outside, rows)


def triangular(A: Array, B: Array) -> tuple[Array, Array, float]:
    """R and Qᵀ B of A = Q R with (n, n) R, and ‖B − Q Qᵀ B‖²: all that a fit knows of A and B.

    The last from the rows of the whole Qᵀ B below the n-th; a difference of squares would cancel.
    """
    n = A.shape[1]
    (packed, tau), R = scipy.linalg.qr(A, mode="raw")
    (multiply,) = scipy.linalg.get_lapack_funcs(("ormqr",), (packed, B))
    work = multiply("L", "T", packed, tau, B, -1)[1]  # asks for the size of its workspace
    right, _, _ = multiply("L", "T", packed, tau, B, int(work[0]))
    return R[:n], right[:n], float(np.sum(right[n:] ** 2))


def _pseudo_inverse(L: Array) -> tuple[Array, Array]:
    """V₁ Σ⁻¹ (n, q) and the null space W (n, n − q) of L (p, n)."""
    diagonal = np.diag(L)
    if L.shape == (diagonal.size,) * 2 and np.all(diagonal) and not np.any(L - np.diag(diagonal)):
        return np.diag(1 / diagonal), np.zeros((diagonal.size, 0), L.dtype)
    _, sigma, Vt = scipy.linalg.svd(L, full_matrices=L.shape[0] < L.shape[1])
    rank = int(np.sum(sigma > max(L.shape) * np.finfo(L.dtype).eps * np.max(sigma, initial=0.0)))
    return Vt[:rank].T / sigma[:rank], Vt[rank:].T


def _null_part(A: Array, W: Array) -> tuple[Array, Array]:
    """Q₀ and T⁻¹ of A W = Q₀ T."""
    Q0, T = scipy.linalg.qr(A @ W, mode="economic")
    diagonal = np.abs(np.diag(T))
    # the sizes that rounding gives to a zero of T
    least = max(A.shape) * np.finfo(A.dtype).eps * np.linalg.norm(A)
    if T.shape[0] < T.shape[1] or np.any(diagonal <= least):
        raise ComputationError(
            "data and penalties together do not determine the controls: a direction without "
            "penalty has no effect on the outputs. Penalise all controls, or use `qr` or `svd`"
        )
    return Q0, scipy.linalg.solve_triangular(T, np.eye(T.shape[0], dtype=A.dtype))
