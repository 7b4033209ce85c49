"""The 3/8 rule: order 4 with smaller error constants than the classical method.

Kutta (1901); Hairer, Nørsett and Wanner I, table II.1.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from occore import Example, decay
from occore_continuous.discretizations.explicit_runge_kutta import ExplicitRungeKutta
from occore_continuous.discretizations.tableau import Tableau


def dense_weights(s: Any) -> tuple[Any, ...]:
    """The only ones of order 3 on these stages: solved from the four order conditions."""
    return (
        s - 15 * s**2 / 8 + s**3,
        15 * s**2 / 8 - 3 * s**3 / 2,
        3 * s**2 / 8,
        s**3 / 2 - 3 * s**2 / 8,
    )


TABLEAU = Tableau.parse(
    """
    0   |
    1/3 | 1/3
    2/3 | -1/3 1
    1   | 1   -1  1
        | 1/8 3/8 3/8 1/8
    """,
    dense=dense_weights,
)


@dataclass(frozen=True)
class RK38(ExplicitRungeKutta):
    """Explicit, order 4, four evaluations a step at four different times.

    Stable like `rk4`: on the imaginary axis for h |λ| ≤ 2.83 = 2√2.
    """

    tableau: ClassVar[Tableau] = TABLEAU
    order: ClassVar[int] = 4
    dense_order: ClassVar[int] = 3

    @classmethod
    def example(cls) -> Example:
        """dx/dt = −x, h = 1/2: 1 − 1/2 + 1/8 − 1/48 + 1/384 = 233/384, by hand."""
        return Example(cls(), dynamics=decay(), x=[[1.0]], h=0.5, u={}, value=[[233 / 384]])
