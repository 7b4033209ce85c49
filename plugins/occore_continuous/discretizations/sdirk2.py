"""Singly diagonally implicit Runge–Kutta method of order 2, two stages, γ = 1 − 1/√2.

R. Alexander, Diagonally implicit Runge–Kutta methods for stiff O.D.E.'s, SIAM J. Numer. Anal. 14
(1977), 1006–1021, theorem 4. The error estimate is the difference from x + h k₁ (order 1; occore's
choice).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar

from occore import Example, decay
from occore_continuous.discretizations.implicit_runge_kutta import ImplicitRungeKutta
from occore_continuous.discretizations.tableau import Tableau

GAMMA = 1 - 1 / sqrt(2)


def dense_weights(s: Any) -> tuple[Any, ...]:
    """Of order 2: Σ b = s, Σ b c = s²/2."""
    last = (s**2 / 2 - GAMMA * s) / (1 - GAMMA)
    return s - last, last


TABLEAU = Tableau(
    c=(GAMMA, 1),
    a=((GAMMA, 0), (1 - GAMMA, GAMMA)),
    b=(1 - GAMMA, GAMMA),
    embedded=((1, 0),),
    dense=dense_weights,
)


@dataclass(frozen=True)
class SDIRK2(ImplicitRungeKutta):
    """Implicit, order 2 with an error estimate of order 1, L-stable and stiffly accurate."""

    tableau: ClassVar[Tableau] = TABLEAU
    order: ClassVar[int] = 2
    error_order: ClassVar[int] = 1
    dense_order: ClassVar[int] = 2

    @classmethod
    def example(cls) -> Example:
        """dx/dt = −x, h = 1/2: R(z) = (1 + (1 − 2γ) z) / (1 − γ z)² at z = −1/2, by hand."""
        return Example(
            cls(), dynamics=decay(), x=[[1.0]], h=0.5, u={}, value=[[0.60326348010556270]]
        )
