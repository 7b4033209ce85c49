"""ETDRK4: exponential time differencing of order 4.

With N = f − M x, E = e^(hM), E½ = e^(hM/2), Q = ½ φ₁(hM/2) and φ_k = φ_k(hM):

    a = E½ x + h Q N(t, x),    b = E½ x + h Q N(t + h/2, a),
    c = E½ a + h Q (2 N(t + h/2, b) − N(t, x)),
    y = E x + h ((φ₁ − 3φ₂ + 4φ₃) N(t, x) + (2φ₂ − 4φ₃) (N(t + h/2, a) + N(t + h/2, b))
                 + (4φ₃ − φ₂) N(t + h, c))

S. M. Cox and P. C. Matthews, Exponential time differencing for stiff systems, J. Comput. Phys. 176
(2002), 430–455, equations (26)–(29); A.-K. Kassam and L. N. Trefethen (2005) for the φ functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from occore import Array, Controls, Discretization, Dynamics, Example, Linearization
from occore_continuous.discretizations import exponential
from occore_continuous.discretizations.exponential import Coefficients
from occore_continuous.discretizations.linear_equations import split_decay
from occore_continuous.discretizations.phi_functions import phi_functions
from occore_continuous.discretizations.structure import missing


@dataclass(frozen=True)
class ETDRK4(Discretization):
    """Explicit, order 4, exact where f = M x: for a stiff constant M = `linear_part()`.

    The order drops where the rest is stiff as well. The matrices of a step are dense, (n, n), and
    kept for the latest lengths of step. No dense output, no error estimate.
    """

    order: ClassVar[int] = 4
    abscissae: ClassVar[tuple[float, ...]] = (0.0, 0.5, 1.0)

    def step(self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls) -> Array:
        """E x + h Σ b_i N_i."""
        return exponential.step(_coefficients(self, dynamics, h, x), dynamics, t, h, x, control)

    def linearize_step(
        self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls
    ) -> tuple[Array, Linearization]:
        """The step, and its derivative stage by stage."""
        method = _coefficients(self, dynamics, h, x)
        return exponential.linearize_step(method, dynamics, t, h, x, control)

    @classmethod
    def example(cls) -> Example:
        """x' = −x/2 − x/2, one half linear part, h = 1/2: the formulas in SymPy, 50 digits."""
        return Example(
            cls(), dynamics=split_decay(), x=[[1.0]], h=0.5, u={}, value=[[0.606542326733944516]]
        )


def _coefficients(method: Discretization, dynamics: Dynamics, h: float, x: Array) -> Coefficients:
    """The matrices for this M and h. Raises StructureError where there is no M."""
    if dynamics.linear_part is None:
        raise missing(method, "`linear_part()`, a constant matrix", dynamics)
    M = np.ascontiguousarray(dynamics.linear_part(), np.float64)
    return _matrices(M.tobytes(), len(M), float(h), x.real.dtype)


@lru_cache(maxsize=8)
def _matrices(content: bytes, n: int, h: float, dtype: np.dtype) -> Coefficients:
    """Computed in float64, then rounded to the type of the state."""
    M = np.frombuffer(content).reshape(n, n)
    half, half_1 = phi_functions(h * M / 2, 1)
    E, phi1, phi2, phi3 = phi_functions(h * M, 3)
    one, Q = np.eye(n), half_1 / 2
    rounded = [
        A.astype(dtype)
        for A in (
            M, E, one, half, Q, (half - one) @ Q, 2 * Q,
            phi1 - 3 * phi2 + 4 * phi3, 2 * phi2 - 4 * phi3, 4 * phi3 - phi2,
        )
    ]  # fmt: skip
    M, E, one, half, Q, a40, a42, b0, b1, b3 = rounded
    # c = E½ a + …, with a = E½ x + h Q N₀ inserted: E½² = E and (E½ − 1) Q are its coefficients
    return Coefficients(
        c=(0.0, 0.5, 0.5, 1.0),
        places=(0, 1, 1, 2),
        M=M,
        E=E,
        P=(one, half, half, E),
        a=({}, {0: Q}, {1: Q}, {0: a40, 2: a42}),
        b={0: b0, 1: b1, 2: b1, 3: b3},
    )
