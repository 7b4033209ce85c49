"""Dormand and Prince's method of order 8 with Hairer's error estimate: DOP853.

E. Hairer, S. P. Nørsett and G. Wanner, Solving Ordinary Differential Equations I, 2nd ed. (1993),
section II.10. Two embedded methods, of orders 5 and 3, with errors e₅ = O(h⁶) and e₃ = O(h⁴), give
the estimate e₅ |e₅| / (|e₅|² + |e₃|² / 100)^½ = O(h⁸), here in each component.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from occore import Array, Example, decay
from occore_continuous.discretizations.dop853_coefficients import A, C, D, E, exact
from occore_continuous.discretizations.explicit_runge_kutta import ExplicitRungeKutta
from occore_continuous.discretizations.tableau import Tableau

STAGES, END = len(C), 12
B = exact(A[END], STAGES)
EMBEDDED_5 = tuple(b - e for b, e in zip(B, exact(E[5], STAGES), strict=True))
EMBEDDED_3 = exact(E[3], STAGES)


def dense_weights(s: Any) -> tuple[Any, ...]:
    """Hermite interpolation of both ends and, times s² (1 − s)² and higher terms, the rest."""
    end, bubble = 3 * s**2 - 2 * s**3, s**2 * (1 - s) ** 2
    terms = (bubble, bubble * s, bubble * s * (1 - s), bubble * s**2 * (1 - s))
    rows = [exact(D[k], STAGES) for k in range(len(terms))]
    weights = [
        b * end + sum(row[i] * term for row, term in zip(rows, terms, strict=True))
        for i, b in enumerate(B)
    ]
    weights[0] += s * (1 - s) ** 2
    weights[END] += s**2 * (s - 1)
    return tuple(weights)


def quotient(e5: Array, e3: Array) -> Array:
    """The estimate from both embedded methods."""
    size = np.hypot(np.abs(e5), 0.1 * np.abs(e3))
    return e5 * np.abs(e5) / np.where(size == 0, 1, size)


TABLEAU = Tableau(
    tuple(map(Fraction, C)),
    ((Fraction(0),) * STAGES, *(exact(A[i], STAGES) for i in range(1, STAGES))),
    B,
    embedded=(EMBEDDED_5, EMBEDDED_3),
    dense=dense_weights,
    estimate=quotient,
)


@dataclass(frozen=True)
class Dopri8(ExplicitRungeKutta):
    """Explicit, order 8 with an error estimate of order 7, twelve evaluations a step.

    For tolerances of 1e-8 and below. Stable on the real axis for h |λ| ≤ 6.39, on the imaginary one
    for h |λ| ≤ 5.96. Dense output of order 7 costs four more evaluations; its stage
    times 0.1, 0.2 and 7/9 are among the abscissae, so the controls are needed there as well.
    """

    tableau: ClassVar[Tableau] = TABLEAU
    order: ClassVar[int] = 8
    error_order: ClassVar[int] = 7
    dense_order: ClassVar[int] = 7

    @classmethod
    def example(cls) -> Example:
        """dx/dt = −x, h = 1/2: e^(−1/2) to within the error of a step, some (1/2)⁹ / 9! / 30."""
        value = [[0.6065306597126334]]
        return Example(cls(), dynamics=decay(), x=[[1.0]], h=0.5, u={}, value=value, rtol=1e-9)
