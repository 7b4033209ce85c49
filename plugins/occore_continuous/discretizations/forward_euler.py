"""Forward Euler: x(t + h) ≈ x + h f(t, x, u(t)).

Hairer, Nørsett and Wanner I, section I.7. A residual network is this step: one layer a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from occore import Example, decay
from occore_continuous.discretizations.explicit_runge_kutta import ExplicitRungeKutta
from occore_continuous.discretizations.tableau import Tableau


def dense_weights(s: Any) -> tuple[Any, ...]:
    """The straight line along f."""
    return (s,)


TABLEAU = Tableau.parse(
    """
    0 |
      | 1
    """,
    dense=dense_weights,
)


@dataclass(frozen=True)
class ForwardEuler(ExplicitRungeKutta):
    """Explicit, order 1, one evaluation a step. Unstable on the imaginary axis for every h."""

    tableau: ClassVar[Tableau] = TABLEAU
    order: ClassVar[int] = 1
    dense_order: ClassVar[int] = 1

    @classmethod
    def example(cls) -> Example:
        """dx/dt = −x, h = 1/2: 1 − 1/2, by hand."""
        return Example(cls(), dynamics=decay(), x=[[1.0]], h=0.5, u={}, value=[[0.5]])
