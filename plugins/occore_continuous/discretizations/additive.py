"""Additive Runge–Kutta methods for dx/dt = f_E + f_I: explicit in one part, implicit in the other.

    X_i = x + h Σ_{j<i} â_ij f_E(X_j) + h Σ_{j≤i} a_ij f_I(X_j),
    y = x + h Σ_i b̂_i f_E(X_i) + h Σ_i b_i f_I(X_i)

Each X_i gives two stages, first f_I and then f_E, so that both together have one triangular
tableau; stages that nothing uses are left out.

U. M. Ascher, S. J. Ruuth and R. J. Spiteri, Implicit–explicit Runge–Kutta methods for
time-dependent partial differential equations, Appl. Numer. Math. 25 (1997), 151–167.
"""

from __future__ import annotations

from occore import Dynamics, StructureError
from occore_continuous.discretizations.implicit_runge_kutta import Fields
from occore_continuous.discretizations.tableau import Number, Numbers, Tableau

EXPLICIT, IMPLICIT = 0, 1


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


def parts(name: str, dynamics: Dynamics) -> Fields:
    """(f_E, f_I). Raises StructureError where the dynamics has no splitting."""
    if dynamics.splitting is None:
        raise StructureError(
            f"{name} needs a dynamics with `splitting()`, into an explicit and an implicit part; "
            f"{type(dynamics).__name__} has none. Methods that take any dynamics: rk4, dopri5 "
            "where it is not stiff; rosenbrock, sdirk3 where it is"
        )
    return dynamics.splitting()
