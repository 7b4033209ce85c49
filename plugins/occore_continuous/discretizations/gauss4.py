"""Gauss method of two stages and order 4 (Hammer and Hollingsworth).

Hairer, Nørsett and Wanner I, table II.7.3; Hairer and Wanner II, section IV.5. Both stages are
solved together: a linear system of twice the size of the state.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Annotated, Any, ClassVar

from pydantic import Field

from occore import Array, Controls, Discretization, Dynamics, Example, Linearization, decay
from occore_continuous.discretizations import implicit_runge_kutta as irk
from occore_continuous.discretizations.implicit_stages import Equations
from occore_continuous.discretizations.stage_systems import Solver
from occore_continuous.discretizations.stages import reverse
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
class Gauss4(Discretization):
    """Implicit, order 4, A-stable but not L-stable, symplectic: keeps quadratic invariants exactly.

    Symmetric, hence reversible (to rounding where the problem is not stiff). For smooth problems
    over long times; the order drops to 2 on stiff ones.
    """

    tableau: ClassVar[Tableau] = TABLEAU
    order: ClassVar[int] = 4
    dense_order: ClassVar[int] = 2
    abscissae: ClassVar[tuple[float, ...]] = TABLEAU.abscissae

    solver: Annotated[Solver, Field(description="how the linear systems of a step are solved")] = (
        "auto"
    )

    def step(self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls) -> Array:
        """x + h Σ b_i k_i."""
        return irk.coupled_step(TABLEAU, self._equations(dynamics, t, h, control), x)

    def linearize_step(
        self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls
    ) -> tuple[Array, Linearization]:
        """The step, and its derivative by the implicit function theorem."""
        return irk.linearize_coupled_step(TABLEAU, self._equations(dynamics, t, h, control), x)

    def dense_output(
        self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls, s: Array
    ) -> Array:
        """x + h Σ b_i(s) k_i."""
        return irk.coupled_dense_output(TABLEAU, self._equations(dynamics, t, h, control), x, s)

    def retreat(self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls) -> Array:
        """The step with −h from t + h: the method is symmetric."""
        return self.step(dynamics, t + h, -h, x, reverse(control))

    def _equations(self, dynamics: Dynamics, t: float, h: float, control: Controls) -> Equations:
        return irk.coupled_equations(TABLEAU, self.solver, dynamics, t, h, control)

    @classmethod
    def example(cls) -> Example:
        """dx/dt = −x, h = 1/2: (1 − 1/4 + 1/48) / (1 + 1/4 + 1/48), by hand."""
        return Example(cls(), dynamics=decay(), x=[[1.0]], h=0.5, u={}, value=[[37 / 61]])
