"""Ascher, Ruuth and Spiteri's implicit–explicit method (2,2,2).

Ascher, Ruuth and Spiteri (1997), section 2.6: γ = (2 − √2)/2, δ = 1 − 1/(2γ).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

from occore import Example
from occore_continuous.discretizations.additive_runge_kutta import AdditiveRungeKutta, additive
from occore_continuous.discretizations.linear_equations import split_decay
from occore_continuous.discretizations.tableau import Tableau

GAMMA = 1 - 1 / sqrt(2)
DELTA = 1 - 1 / (2 * GAMMA)
TABLEAU = additive(
    explicit=Tableau(
        c=(0, GAMMA, 1),
        a=((0, 0, 0), (GAMMA, 0, 0), (DELTA, 1 - DELTA, 0)),
        b=(DELTA, 1 - DELTA, 0),
    ),
    implicit=Tableau(
        c=(0, GAMMA, 1),
        a=((0, 0, 0), (0, GAMMA, 0), (0, 1 - GAMMA, GAMMA)),
        b=(0, 1 - GAMMA, GAMMA),
    ),
)


@dataclass(frozen=True)
class ARS222(AdditiveRungeKutta):
    """Order 2, L-stable and stiffly accurate in the implicit part.

    For a dynamics with `splitting()`. Two implicit and two explicit stages a step. No dense output.
    """

    tableau: ClassVar[Tableau] = TABLEAU
    order: ClassVar[int] = 2

    @classmethod
    def example(cls) -> Example:
        """x' = −x/2 − x/2, one half explicit, h = 1/2: exact stages, by SymPy."""
        return Example(
            cls(),
            dynamics=split_decay(),
            x=[[1.0]],
            h=0.5,
            u={},
            value=[[(1461 + 4 * sqrt(2)) / 2401]],
        )
