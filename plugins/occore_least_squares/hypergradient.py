"""The loss in validation as a function of the weights of the penalties, with its gradient.

    Θ(η) = argmin ½‖A Θ − B‖² + Σ_i (λ_i/2)‖L_i Θ‖²,  λ_i = exp(η_i)
    V(η) = ½‖A_v Θ(η) − B_v‖²

    H Θ = Aᵀ B,   H = Aᵀ A + Σ λ_i L_iᵀ L_i
    H P = A_vᵀ (A_v Θ − B_v)                       the adjoint system
    ∂V/∂η_i = −λ_i ⟨L_i P, L_i Θ⟩                  by the implicit function theorem

    symbol     code               shape
    A, B       A, B               (m, n), (m, k)     training; n rows are enough, by QR
    A_v, B_v   A_v, B_v           (m_v, n), (m_v, k) validation
    L_i        operators[i]       (p_i, n)
    η          eta                (q,)

Both systems share one triangular factor of [A; √λ₁ L₁; …], so that the gradient costs two more
triangular solves, however many weights there are. Bengio, Neural Computation 12 (2000).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from occore import Array, ComputationError


@dataclass(frozen=True)
class ValidationLoss:
    """V, its gradient and Θ, at any η."""

    A: Array
    B: Array
    A_v: Array
    B_v: Array
    operators: tuple[Array, ...]

    def __call__(self, eta: Array) -> tuple[float, Array, Array]:
        """V (a number), ∂V/∂η (q,) and Θ (n, k). Raises ComputationError where H is singular."""
        rows = [np.exp(e / 2) * L for e, L in zip(eta, self.operators, strict=True)]
        stacked = np.vstack([self.A, *rows])
        zeros = np.zeros((stacked.shape[0] - self.A.shape[0], self.B.shape[1]), self.B.dtype)
        right, R = scipy.linalg.qr_multiply(stacked, np.vstack([self.B, zeros]).T)
        diagonal = np.abs(np.diag(R))
        least = max(stacked.shape) * np.finfo(R.dtype).eps * np.max(diagonal)
        if R.shape[0] < R.shape[1] or np.min(diagonal) <= least:
            raise ComputationError(
                "training data and penalties do not determine the controls; penalise all of them, "
                "or keep fewer samples for validation"
            )
        Theta = scipy.linalg.solve_triangular(R, right.T)
        r = self.A_v @ Theta - self.B_v
        half = scipy.linalg.solve_triangular(R, self.A_v.T @ r, trans="T")
        P = scipy.linalg.solve_triangular(R, half)
        gradient = [
            -np.exp(e) * np.sum((L @ P) * (L @ Theta))
            for e, L in zip(eta, self.operators, strict=True)
        ]
        return float(np.sum(r * r)) / 2, np.array(gradient), Theta
