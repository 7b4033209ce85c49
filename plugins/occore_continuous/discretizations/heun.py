"""Heun's method, the explicit trapezoid rule: the mean slope of the start and of Euler's end.

Hairer, Nørsett and Wanner I, section II.1. Its error estimate is the difference from forward Euler.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from occore import Array, Controls, Discretization, Dynamics, Example, Linearization, decay
from occore_continuous.discretizations import runge_kutta
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
class Heun(Discretization):
    """Explicit, order 2, two evaluations a step; strong stability preserving.

    Unstable on the imaginary axis for every h: |R(iω)|² = 1 + ω⁴/4.
    """

    tableau: ClassVar[Tableau] = TABLEAU
    order: ClassVar[int] = 2
    error_order: ClassVar[int] = 1
    dense_order: ClassVar[int] = 2
    abscissae: ClassVar[tuple[float, ...]] = TABLEAU.abscissae

    def step(self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls) -> Array:
        """x + h Σ b_i k_i."""
        return runge_kutta.step(TABLEAU, dynamics, t, h, x, control)

    def linearize_step(
        self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls
    ) -> tuple[Array, Linearization]:
        """The step, and its derivative stage by stage."""
        return runge_kutta.linearize_step(TABLEAU, dynamics, t, h, x, control)

    def step_with_error(
        self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls
    ) -> tuple[Array, Array]:
        """The step, and its difference from forward Euler."""
        return runge_kutta.step_with_error(TABLEAU, dynamics, t, h, x, control)

    def dense_output(
        self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls, s: Array
    ) -> Array:
        """x + h Σ b_i(s) k_i."""
        return runge_kutta.dense_output(TABLEAU, dynamics, t, h, x, control, s)

    @classmethod
    def example(cls) -> Example:
        """dx/dt = −x, h = 1/2: 1 − 1/2 + 1/8 = 5/8, by hand."""
        return Example(cls(), dynamics=decay(), x=[[1.0]], h=0.5, u={}, value=[[0.625]])
