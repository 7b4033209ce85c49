"""Additive Runge–Kutta methods for dx/dt = f_E + f_I: explicit in one part, implicit in the other.

    X_i = x + h Σ_{j<i} â_ij f_E(X_j) + h Σ_{j≤i} a_ij f_I(X_j),
    y = x + h Σ_i b̂_i f_E(X_i) + h Σ_i b_i f_I(X_i)

Each X_i gives two stages, first f_I and then f_E, so that both together have one triangular
tableau; stages that nothing uses are left out.

U. M. Ascher, S. J. Ruuth and R. J. Spiteri, Implicit–explicit Runge–Kutta methods for
time-dependent partial differential equations, Appl. Numer. Math. 25 (1997), 151–167.
"""

from __future__ import annotations

from dataclasses import dataclass

from occore import Controls, Dynamics
from occore_continuous.discretizations.runge_kutta import RungeKutta
from occore_continuous.discretizations.stage_systems import SolverOption
from occore_continuous.discretizations.structure import missing
from occore_continuous.discretizations.successive_stages import SuccessiveStages
from occore_continuous.discretizations.tableau import Number, Numbers, Tableau

EXPLICIT, IMPLICIT = 0, 1


@dataclass(frozen=True)
class AdditiveRungeKutta(RungeKutta):
    """Steps of a dynamics with a splitting; a method gives its tableau, orders and example."""

    solver: SolverOption = "auto"

    def stages(self, dynamics: Dynamics, t: float, h: float, control: Controls) -> SuccessiveStages:
        """Those of f_I and f_E in turn. Raises StructureError where there is no splitting."""
        if dynamics.splitting is None:
            parts = "`splitting()`, into an explicit and an implicit part"
            raise missing(self, parts, dynamics)
        return SuccessiveStages(self.tableau, dynamics.splitting(), t, h, control, self.solver)


def additive(explicit: Tableau, implicit: Tableau) -> Tableau:
    """The tableau of both, whose abscissae must agree; stages with their part in `fields`."""
    stages = [(i, part) for i in range(len(implicit.b)) for part in (IMPLICIT, EXPLICIT)]
    tableaux = {EXPLICIT: explicit, IMPLICIT: implicit}

    def used(j: int, part: int) -> bool:
        method = tableaux[part]
        return any(x != 0 for x in (method.b[j], *(row[j] for row in method.a)))

    stages = [stage for stage in stages if used(*stage)]

    def row(i: int, place: int) -> Numbers:
        """Weights of the stages up to this one in X_i."""
        return tuple(
            tableaux[part].a[i][j] if other <= place else 0
            for other, (j, part) in enumerate(stages)
        )

    def weight(j: int, part: int) -> Number:
        return tableaux[part].b[j]

    return Tableau(
        c=tuple(implicit.c[i] for i, _ in stages),
        a=tuple(row(i, place) for place, (i, _) in enumerate(stages)),
        b=tuple(weight(*stage) for stage in stages),
        fields=tuple(part for _, part in stages),
    )
