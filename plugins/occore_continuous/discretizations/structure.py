"""The error of a method that needs a structure which the dynamics lacks."""

from __future__ import annotations

from occore import Discretization, Dynamics, StructureError


def missing(method: Discretization, structure: str, dynamics: Dynamics) -> StructureError:
    """It names the method, what it needs, and methods that need nothing."""
    return StructureError(
        f"{type(method).__name__} needs a dynamics with {structure}; "
        f"{type(dynamics).__name__} has none. Methods that take any dynamics: rk4, dopri5 where it "
        "is not stiff; rosenbrock, sdirk3 where it is"
    )
