"""The classical Runge–Kutta method of order 4.

Kutta (1901); Hairer, Nørsett and Wanner I, table II.1.2. Dense output: ibid., section II.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from occore import Example, decay
from occore_continuous.discretizations.explicit_runge_kutta import ExplicitRungeKutta
from occore_continuous.discretizations.tableau import Tableau


def dense_weights(s: Any) -> tuple[Any, ...]:
    """The only ones of order 3 on these stages."""
    middle = s**2 - 2 * s**3 / 3
    return s - 3 * s**2 / 2 + 2 * s**3 / 3, middle, middle, 2 * s**3 / 3 - s**2 / 2


TABLEAU = Tableau.parse(
    """
    0   |
    1/2 | 1/2
    1/2 | 0   1/2
    1   | 0   0   1
        | 1/6 1/3 1/3 1/6
    """,
    dense=dense_weights,
)


@dataclass(frozen=True)
class RK4(ExplicitRungeKutta):
    """Explicit, order 4, four evaluations a step, controls at the start, middle and end.

    Stable on the imaginary axis for h |λ| ≤ 2.83 = 2√2, on the real one for h |λ| ≤ 2.79.
    """

    tableau: ClassVar[Tableau] = TABLEAU
    order: ClassVar[int] = 4
    dense_order: ClassVar[int] = 3

    @classmethod
    def example(cls) -> Example:
        """dx/dt = −x, h = 1/2: 1 − 1/2 + 1/8 − 1/48 + 1/384 = 233/384, by hand."""
        return Example(cls(), dynamics=decay(), x=[[1.0]], h=0.5, u={}, value=[[233 / 384]])
