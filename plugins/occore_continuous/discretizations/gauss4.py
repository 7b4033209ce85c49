"""Gauss method of two stages and order 4 (Hammer and Hollingsworth).

Hairer, Nørsett and Wanner I, table II.7.3; Hairer and Wanner II, section IV.5. Both stages are
solved together: a linear system of twice the size of the state.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar

from occore import Example, decay
from occore_continuous.discretizations.implicit_runge_kutta import ImplicitRungeKutta
from occore_continuous.discretizations.tableau import Tableau

ROOT = sqrt(3)


def dense_weights(s: Any) -> tuple[Any, ...]:
    """The collocation polynomial: integrals of the Lagrange polynomials of both stages."""
    difference = ROOT / 2 * (s - s**2)
    return s / 2 + difference, s / 2 - difference


TABLEAU = Tableau(
    c=(1 / 2 - ROOT / 6, 1 / 2 + ROOT / 6),
    a=((1 / 4, 1 / 4 - ROOT / 6), (1 / 4 + ROOT / 6, 1 / 4)),
    b=(1 / 2, 1 / 2),
    dense=dense_weights,
)


@dataclass(frozen=True)
class Gauss4(ImplicitRungeKutta):
    """Implicit, order 4, A-stable but not L-stable, symplectic: keeps quadratic invariants exactly.

    Symmetric, hence reversible (to rounding where the problem is not stiff). For smooth problems
    over long times; the order drops to 2 on stiff ones.
    """

    tableau: ClassVar[Tableau] = TABLEAU
    order: ClassVar[int] = 4
    dense_order: ClassVar[int] = 2

    @classmethod
    def example(cls) -> Example:
        """dx/dt = −x, h = 1/2: (1 − 1/4 + 1/48) / (1 + 1/4 + 1/48), by hand."""
        return Example(cls(), dynamics=decay(), x=[[1.0]], h=0.5, u={}, value=[[37 / 61]])
