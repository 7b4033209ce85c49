"""Ascher, Ruuth and Spiteri's implicit–explicit method (2,2,2).

Ascher, Ruuth and Spiteri (1997), section 2.6: γ = (2 − √2)/2, δ = 1 − 1/(2γ).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Annotated, ClassVar

from pydantic import Field

from occore import Array, Controls, Discretization, Dynamics, Example, Linearization
from occore_continuous.discretizations import implicit_runge_kutta as irk
from occore_continuous.discretizations.additive import additive, parts
from occore_continuous.discretizations.linear_equations import split_decay
from occore_continuous.discretizations.stage_systems import Solver
from occore_continuous.discretizations.tableau import Tableau

GAMMA = 1 - 1 / sqrt(2)
DELTA = 1 - 1 / (2 * GAMMA)
TABLEAU = additive(
    explicit=Tableau(
        c=(0, GAMMA, 1),
        a=((0, 0, 0), (GAMMA, 0, 0), (DELTA, 1 - DELTA, 0)),
        b=(DELTA, 1 - DELTA, 0),
    ),
    implicit=Tableau(
        c=(0, GAMMA, 1),
        a=((0, 0, 0), (0, GAMMA, 0), (0, 1 - GAMMA, GAMMA)),
        b=(0, 1 - GAMMA, GAMMA),
    ),
)


@dataclass(frozen=True)
class ARS222(Discretization):
    """Order 2, L-stable and stiffly accurate in the implicit part.

    For a dynamics with `splitting()`. Two implicit and two explicit stages a step. No dense output.
    """

    tableau: ClassVar[Tableau] = TABLEAU
    order: ClassVar[int] = 2
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
        fields = parts("ars222", dynamics)
        return irk.Triangular(TABLEAU, self.solver, fields, t, h, control)

    @classmethod
    def example(cls) -> Example:
        """x' = −x/2 − x/2, one half explicit, h = 1/2: exact stages, by SymPy."""
        return Example(
            cls(),
            dynamics=split_decay(),
            x=[[1.0]],
            h=0.5,
            u={},
            value=[[(1461 + 4 * sqrt(2)) / 2401]],
        )
