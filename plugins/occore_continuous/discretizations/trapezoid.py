"""Trapezoidal rule (Crank–Nicolson): y = x + h/2 (f(t, x, u(t)) + f(t + h, y, u(t + h))).

J. Crank and P. Nicolson, Proc. Cambridge Philos. Soc. 43 (1947), 50–67; Hairer and Wanner II,
section IV.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from occore import Array, Controls, Discretization, Dynamics, Example, Linearization, decay
from occore_continuous.discretizations import implicit_runge_kutta as irk
from occore_continuous.discretizations.stage_systems import Solver
from occore_continuous.discretizations.stages import reverse
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
class Trapezoid(Discretization):
    """Implicit, order 2, A-stable but not L-stable: stiff parts ring, with R(−∞) = −1.

    Keeps the modulus of undamped oscillations. Symmetric, hence reversible (to rounding where the
    problem is not stiff).
    """

    tableau: ClassVar[Tableau] = TABLEAU
    order: ClassVar[int] = 2
    dense_order: ClassVar[int] = 2
    abscissae: ClassVar[tuple[float, ...]] = TABLEAU.abscissae

    solver: Annotated[Solver, Field(description="how the linear systems of a step are solved")] = (
        "auto"
    )

    def step(self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls) -> Array:
        """x + h Σ b_i k_i."""
        return irk.step(self._stages(dynamics, t, h, control), x)

    def linearize_step(
        self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls
    ) -> tuple[Array, Linearization]:
        """The step, and its derivative by the implicit function theorem."""
        return irk.linearize_step(self._stages(dynamics, t, h, control), x)

    def dense_output(
        self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls, s: Array
    ) -> Array:
        """x + h Σ b_i(s) k_i."""
        return irk.dense_output(self._stages(dynamics, t, h, control), x, s)

    def retreat(self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls) -> Array:
        """The step with −h from t + h: the method is symmetric."""
        return self.step(dynamics, t + h, -h, x, reverse(control))

    def _stages(self, dynamics: Dynamics, t: float, h: float, control: Controls) -> irk.Triangular:
        return irk.Triangular(TABLEAU, self.solver, (dynamics,), t, h, control)

    @classmethod
    def example(cls) -> Example:
        """dx/dt = −x, h = 1/2: (1 − 1/4) / (1 + 1/4), by hand."""
        return Example(cls(), dynamics=decay(), x=[[1.0]], h=0.5, u={}, value=[[0.6]])
