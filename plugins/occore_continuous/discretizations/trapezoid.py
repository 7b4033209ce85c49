"""Trapezoidal rule (Crank–Nicolson): y = x + h/2 (f(t, x, u(t)) + f(t + h, y, u(t + h))).

J. Crank and P. Nicolson, Proc. Cambridge Philos. Soc. 43 (1947), 50–67; Hairer and Wanner II,
section IV.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from occore import Example, decay
from occore_continuous.discretizations.implicit_runge_kutta import ImplicitRungeKutta
from occore_continuous.discretizations.tableau import Tableau


def dense_weights(s: Any) -> tuple[Any, ...]:
    """The parabola with the slopes of both ends."""
    return s - s**2 / 2, s**2 / 2


TABLEAU = Tableau.parse(
    """
    0 |
    1 | 1/2 1/2
      | 1/2 1/2
    """,
    dense=dense_weights,
)


@dataclass(frozen=True)
class Trapezoid(ImplicitRungeKutta):
    """Implicit, order 2, A-stable but not L-stable: stiff parts ring, with R(−∞) = −1.

    Keeps the modulus of undamped oscillations. Symmetric, hence reversible (to rounding where the
    problem is not stiff).
    """

    tableau: ClassVar[Tableau] = TABLEAU
    order: ClassVar[int] = 2
    dense_order: ClassVar[int] = 2

    @classmethod
    def example(cls) -> Example:
        """dx/dt = −x, h = 1/2: (1 − 1/4) / (1 + 1/4), by hand."""
        return Example(cls(), dynamics=decay(), x=[[1.0]], h=0.5, u={}, value=[[0.6]])
