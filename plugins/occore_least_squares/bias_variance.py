"""Bias and variance of Tikhonov's solutions of b = A x + ε, ε ~ N(0, σ² I).

    E‖x_λ − x‖² = ‖E x_λ − x‖² + tr cov x_λ
    E x_λ is the solution for data without noise,    cov x_λ = σ² A_λ⁺ A_λ⁺ᵀ,    x_λ = A_λ⁺ b

σ is the deviation of an entry of ε and σ² its variance. (The course writes N(0, σ I) and then works
with the variance σ²: for σ ≠ 1 the identity fails with noise of variance σ.) Little damping leaves
variance, strong damping leaves bias, and the best λ lies between. Hansen, Discrete Inverse Problems
(2010), section 5.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from occore import Array
from occore_least_squares.standard_form import tikhonov_path


@dataclass(frozen=True)
class BiasVariance:
    """For each λ, (q,): ‖bias‖² and the trace of the covariance."""

    lambdas: Array
    squared_bias: Array
    variance: Array

    @property
    def mean_square_error(self) -> Array:
        """E‖x_λ − x‖², (q,)."""
        return self.squared_bias + self.variance


def bias_variance(A: Array, L: Array, x: Array, deviation: float, lambdas: Array) -> BiasVariance:
    """In closed form, for all λ by one factorisation.

    A: (m, n). L: (p, n). x: (n,), what is sought. deviation: σ. lambdas: (q,).
    """
    expected = tikhonov_path(A, (A @ x)[:, None], L).coefficients(lambdas)[:, :, 0]
    inverses = tikhonov_path(A, np.eye(A.shape[0]), L).coefficients(lambdas)  # A_λ⁺, (q, n, m)
    variance = deviation**2 * np.sum(inverses**2, axis=(1, 2))
    return BiasVariance(lambdas, np.sum((expected - x) ** 2, axis=1), variance)


def sampled_errors(
    A: Array,
    L: Array,
    x: Array,
    deviation: float,
    lambdas: Array,
    samples: int,
    rng: np.random.Generator,
) -> Array:
    """‖x_λ − x‖² for each λ and each of so many draws of ε, (q, samples)."""
    noise = deviation * rng.standard_normal((A.shape[0], samples))
    found = tikhonov_path(A, (A @ x)[:, None] + noise, L).coefficients(lambdas)
    return np.sum((found - x[:, None]) ** 2, axis=1)
