"""Singly diagonally implicit Runge–Kutta method of order 3, three stages.

R. Alexander, Diagonally implicit Runge–Kutta methods for stiff O.D.E.'s, SIAM J. Numer. Anal. 14
(1977), 1006–1021, theorem 5; γ is the root of x³ − 3x² + 3x/2 − 1/6 in (1/6, 1/2). The error
estimate is the difference from the method of order 2 on the first two stages (occore's choice).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from occore import Example, decay
from occore_continuous.discretizations.implicit_runge_kutta import ImplicitRungeKutta
from occore_continuous.discretizations.tableau import Tableau

GAMMA = 0.43586652150845899941601945
B1 = -(6 * GAMMA**2 - 16 * GAMMA + 1) / 4
B2 = (6 * GAMMA**2 - 20 * GAMMA + 5) / 4


def dense_weights(s: Any) -> tuple[Any, ...]:
    """Of order 2: integrals of the Lagrange polynomials of the three abscissae."""
    g, last = GAMMA, 6 * (1 - GAMMA) ** 2
    return (
        s * (6 + 6 * g - (9 + 3 * g) * s + 4 * s**2) / last,
        s * (-24 * g + (12 + 12 * g) * s - 8 * s**2) / last,
        s * (6 * g + 6 * g**2 - (3 + 9 * g) * s + 4 * s**2) / last,
    )


TABLEAU = Tableau(
    c=(GAMMA, (1 + GAMMA) / 2, 1),
    a=((GAMMA, 0, 0), ((1 - GAMMA) / 2, GAMMA, 0), (B1, B2, GAMMA)),
    b=(B1, B2, GAMMA),
    embedded=((GAMMA / (1 - GAMMA), (1 - 2 * GAMMA) / (1 - GAMMA), 0),),
    dense=dense_weights,
)


@dataclass(frozen=True)
class SDIRK3(ImplicitRungeKutta):
    """Implicit, order 3 with an error estimate of order 2, L-stable and stiffly accurate.

    The usual choice for stiff problems here.
    """

    tableau: ClassVar[Tableau] = TABLEAU
    order: ClassVar[int] = 3
    error_order: ClassVar[int] = 2
    dense_order: ClassVar[int] = 2

    @classmethod
    def example(cls) -> Example:
        """dx/dt = −x, h = 1/2: R(z) of its numerator and (1 − γ z)³ at z = −1/2, by hand."""
        return Example(
            cls(), dynamics=decay(), x=[[1.0]], h=0.5, u={}, value=[[0.60575848249194157671]]
        )
