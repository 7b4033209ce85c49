"""Implicit midpoint rule: y = x + h f(t + h/2, (x + y) / 2, u(t + h/2)).

The Gauss method of one stage; Hairer, Lubich and Wanner, Geometric Numerical Integration (2006),
sections II.1 and IV.2.
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
    1/2 | 1/2
        | 1
    """,
    dense=dense_weights,
)


@dataclass(frozen=True)
class ImplicitMidpoint(ImplicitRungeKutta):
    """Implicit, order 2, A-stable but not L-stable, symplectic: keeps quadratic invariants exactly.

    Symmetric, hence reversible (to rounding where the problem is not stiff).
    """

    tableau: ClassVar[Tableau] = TABLEAU
    order: ClassVar[int] = 2
    dense_order: ClassVar[int] = 1

    @classmethod
    def example(cls) -> Example:
        """dx/dt = −x, h = 1/2: (1 − 1/4) / (1 + 1/4), by hand."""
        return Example(cls(), dynamics=decay(), x=[[1.0]], h=0.5, u={}, value=[[0.6]])
