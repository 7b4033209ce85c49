"""Heun's method, the explicit trapezoid rule: the mean slope of the start and of Euler's end.

Hairer, Nørsett and Wanner I, section II.1. Its error estimate is the difference from forward Euler.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from occore import Example, decay
from occore_continuous.discretizations.explicit_runge_kutta import ExplicitRungeKutta
from occore_continuous.discretizations.tableau import Tableau


def dense_weights(s: Any) -> tuple[Any, ...]:
    """Of order 2: Σ b = s, Σ b c = s²/2."""
    return s - s**2 / 2, s**2 / 2


TABLEAU = Tableau.parse(
    """
    0 |
    1 | 1
      | 1/2 1/2
      | 1   0
    """,
    dense=dense_weights,
)


@dataclass(frozen=True)
class Heun(ExplicitRungeKutta):
    """Explicit, order 2, two evaluations a step; strong stability preserving.

    Unstable on the imaginary axis for every h: |R(iω)|² = 1 + ω⁴/4.
    """

    tableau: ClassVar[Tableau] = TABLEAU
    order: ClassVar[int] = 2
    error_order: ClassVar[int] = 1
    dense_order: ClassVar[int] = 2

    @classmethod
    def example(cls) -> Example:
        """dx/dt = −x, h = 1/2: 1 − 1/2 + 1/8 = 5/8, by hand."""
        return Example(cls(), dynamics=decay(), x=[[1.0]], h=0.5, u={}, value=[[0.625]])
