"""The φ functions of a matrix, by contour integrals.

    φ₀(z) = e^z,    φ_{k+1}(z) = (φ_k(z) − 1/k!) / z
    φ_k(A) = 1/(2πi) ∮ φ_k(z) (z − A)⁻¹ dz ≈ 1/N Σ_j φ_k(z_j) z_j (z_j − A)⁻¹,
    z_j = 2 e^(πi (2j + 1) / N),    j = 0 … N − 1

The formulas cancel near z = 0; on a circle around the spectrum they do not: A.-K. Kassam and
L. N. Trefethen, Fourth-order time-stepping for stiff PDEs, SIAM J. Sci. Comput. 26 (2005),
1214–1233. On a large circle e^z would drown the result, so the matrix is halved until ‖A‖₁ ≤ 1,
where the trapezoidal rule has an error of 2^−N, and the functions are doubled again:

    2^k φ_k(2z) = φ₀(z) φ_k(z) + Σ_{j=1}^k φ_j(z) / (k − j)!

M. Hochbruck, C. Lubich and H. Selhofer, Exponential integrators for large systems of differential
equations, SIAM J. Sci. Comput. 19 (1998), 1552–1574.
"""

from __future__ import annotations

from math import ceil, factorial, log2

import numpy as np

from occore import Array

POINTS = 64
"""N: 2^−64 is below rounding."""


def phi_functions(A: Array, count: int) -> list[Array]:
    """φ₀(A), …, φ_count(A), each (n, n), of a real matrix A (n, n)."""
    size = float(np.linalg.norm(A, 1))
    halvings = max(0, ceil(log2(size))) if size > 0 else 0
    phi = _on_circle(A / 2**halvings, count)
    for _ in range(halvings):
        phi = [
            (phi[0] @ phi[k] + sum(phi[j] / factorial(k - j) for j in range(1, k + 1))) / 2**k
            for k in range(count + 1)
        ]
    return phi


def _on_circle(A: Array, count: int) -> list[Array]:
    """For ‖A‖₁ ≤ 1; conjugate points are taken together, as twice the real part."""
    angles = np.pi * (2 * np.arange(POINTS // 2) + 1) / POINTS
    z = 2 * np.exp(1j * angles)
    resolvents = np.linalg.inv(z[:, None, None] * np.eye(len(A)) - A)
    phi, result = np.exp(z), []
    for k in range(count + 1):
        weights = 2 * phi * z / POINTS
        result.append(np.tensordot(weights, resolvents, 1).real)
        phi = (phi - 1 / factorial(k)) / z
    return result
