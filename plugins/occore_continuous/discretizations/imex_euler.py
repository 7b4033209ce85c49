"""Implicit–explicit Euler: y = x + h f_E(t, x, u(t)) + h f_I(t + h, y, u(t + h)).

Ascher, Ruuth and Spiteri (1997), section 2.1: forward–backward Euler (1,1,1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from occore import Example
from occore_continuous.discretizations.additive_runge_kutta import AdditiveRungeKutta, additive
from occore_continuous.discretizations.linear_equations import split_decay
from occore_continuous.discretizations.tableau import Tableau

TABLEAU = additive(
    explicit=Tableau.parse(
        """
        0 |
        1 | 1
          | 1
        """
    ),
    implicit=Tableau.parse(
        """
        0 |
        1 | 0 1
          | 0 1
        """
    ),
)


@dataclass(frozen=True)
class ImexEuler(AdditiveRungeKutta):
    """Order 1, L-stable in the implicit part.

    For a dynamics with `splitting()`. No dense output.
    """

    tableau: ClassVar[Tableau] = TABLEAU
    order: ClassVar[int] = 1

    @classmethod
    def example(cls) -> Example:
        """x' = −x/2 − x/2, one half explicit, h = 1/2: (1 − 1/4) / (1 + 1/4), by hand."""
        return Example(cls(), dynamics=split_decay(), x=[[1.0]], h=0.5, u={}, value=[[0.6]])
