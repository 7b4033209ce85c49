"""Bogacki and Shampine's pair of orders 3 and 2.

P. Bogacki and L. F. Shampine, A 3(2) pair of Runge–Kutta formulas, Appl. Math. Lett. 2 (1989),
321–325. The fourth stage is f at the end point; only the error and the dense output use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from occore import Example, decay
from occore_continuous.discretizations.explicit_runge_kutta import ExplicitRungeKutta
from occore_continuous.discretizations.tableau import Tableau


def dense_weights(s: Any) -> tuple[Any, ...]:
    """Cubic Hermite interpolation of the states and slopes at both ends."""
    end = 3 * s**2 - 2 * s**3
    return 2 * end / 9 + s * (1 - s) ** 2, end / 3, 4 * end / 9, s**2 * (s - 1)


TABLEAU = Tableau.parse(
    """
    0   |
    1/2 | 1/2
    3/4 | 0    3/4
    1   | 2/9  1/3 4/9
        | 2/9  1/3 4/9 0
        | 7/24 1/4 1/3 1/8
    """,
    dense=dense_weights,
)


@dataclass(frozen=True)
class Bosh3(ExplicitRungeKutta):
    """Explicit, order 3 with an error estimate of order 2, for tolerances of 1e-3 or so.

    Three evaluations a step, four with the error. Stable on the imaginary axis for
    h |λ| ≤ 1.73 = √3.
    """

    tableau: ClassVar[Tableau] = TABLEAU
    order: ClassVar[int] = 3
    error_order: ClassVar[int] = 2
    dense_order: ClassVar[int] = 3

    @classmethod
    def example(cls) -> Example:
        """dx/dt = −x, h = 1/2: 1 − 1/2 + 1/8 − 1/48 = 29/48, by hand."""
        return Example(cls(), dynamics=decay(), x=[[1.0]], h=0.5, u={}, value=[[29 / 48]])
