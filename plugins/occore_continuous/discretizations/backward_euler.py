"""Backward Euler: x(t + h) ≈ y with y = x + h f(t + h, y, u(t + h)).

Hairer and Wanner II, section IV.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from occore import Example, decay
from occore_continuous.discretizations.implicit_runge_kutta import ImplicitRungeKutta
from occore_continuous.discretizations.tableau import Tableau


def dense_weights(s: Any) -> tuple[Any, ...]:
    """The straight line between the states."""
    return (s,)


TABLEAU = Tableau.parse(
    """
    1 | 1
      | 1
    """,
    dense=dense_weights,
)


@dataclass(frozen=True)
class BackwardEuler(ImplicitRungeKutta):
    """Implicit, order 1, L-stable: for rough answers to very stiff problems; damps oscillations."""

    tableau: ClassVar[Tableau] = TABLEAU
    order: ClassVar[int] = 1
    dense_order: ClassVar[int] = 1

    @classmethod
    def example(cls) -> Example:
        """dx/dt = −x, h = 1/2: 1 / (1 + 1/2), by hand."""
        return Example(cls(), dynamics=decay(), x=[[1.0]], h=0.5, u={}, value=[[2 / 3]])
