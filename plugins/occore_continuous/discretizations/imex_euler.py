"""Implicit–explicit Euler: y = x + h f_E(t, x, u(t)) + h f_I(t + h, y, u(t + h)).

Ascher, Ruuth and Spiteri (1997), section 2.1: forward–backward Euler (1,1,1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from occore import Array, Controls, Discretization, Dynamics, Example, Linearization
from occore_continuous.discretizations import implicit_runge_kutta as irk
from occore_continuous.discretizations.additive import additive, parts
from occore_continuous.discretizations.linear_equations import split_decay
from occore_continuous.discretizations.stage_systems import Solver
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
class ImexEuler(Discretization):
    """Order 1, L-stable in the implicit part.

    For a dynamics with `splitting()`. No dense output.
    """

    tableau: ClassVar[Tableau] = TABLEAU
    order: ClassVar[int] = 1
    abscissae: ClassVar[tuple[float, ...]] = TABLEAU.abscissae

    solver: Annotated[Solver, Field(description="how the linear systems of a step are solved")] = (
        "auto"
    )

    def step(self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls) -> Array:
        """Stage by stage, the implicit part before the explicit one."""
        return irk.step(self._stages(dynamics, t, h, control), x)

    def linearize_step(
        self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls
    ) -> tuple[Array, Linearization]:
        """The step, and its derivative by the implicit function theorem."""
        return irk.linearize_step(self._stages(dynamics, t, h, control), x)

    def _stages(self, dynamics: Dynamics, t: float, h: float, control: Controls) -> irk.Triangular:
        fields = parts("imex_euler", dynamics)
        return irk.Triangular(TABLEAU, self.solver, fields, t, h, control)

    @classmethod
    def example(cls) -> Example:
        """x' = −x/2 − x/2, one half explicit, h = 1/2: (1 − 1/4) / (1 + 1/4), by hand."""
        return Example(cls(), dynamics=split_decay(), x=[[1.0]], h=0.5, u={}, value=[[0.6]])
