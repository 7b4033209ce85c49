"""Time as a control: maps (t, x, u) whose time varies with the states, as that of an event does.

    y(t, x, u) → y(x, (u, t)):    dy = y_x dx + y_u du + y_t dt

A map that depends on t hands this out as its `linearize_in_time`; one that does not has y_t = 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from occore.arrays import Array, Controls
from occore.errors import InputError
from occore.linearization import Linearization

if TYPE_CHECKING:
    from occore.dynamics import Dynamics
    from occore.objective import RunningObjective

TIME = "(time)"
"""The name of t among the controls; no control of a model has parentheses in its name."""


def linearize_in_time(
    owner: Dynamics | RunningObjective, t: float, x: Array, u: Controls
) -> tuple[Array, Linearization]:
    """The value at (t, x, u) and its derivative in x and in u with `TIME` among them.

    Raises InputError where the map depends on t and does not know how.
    """
    if owner.autonomous:
        y, part = owner.linearize(t, x, u)
        return y, Still(part)
    require_time(owner)
    assert owner.linearize_in_time is not None  # noqa: S101 - just asked for
    return owner.linearize_in_time(t, x, u)


def require_time(owner: Dynamics | RunningObjective) -> None:
    """Raise InputError where a map may depend on t and offers no derivative in it."""
    if not owner.autonomous and owner.linearize_in_time is None:
        raise InputError(
            f"events need the derivative of {type(owner).__name__} in t: make time a state with "
            "rate 1, or say autonomous = True in the class where it does not depend on t"
        )


@dataclass(frozen=True)
class Still(Linearization):
    """The linearization of a map that does not depend on t, with `TIME` among its controls."""

    part: Linearization

    def jvp(self, dx: Array, du: Controls) -> Array:
        """That of the map."""
        return self.part.jvp(dx, without_time(du))

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """That of the map, and zero."""
        px, pu = self.part.vjp(py)
        return px, {**pu, TIME: np.zeros((), py.dtype)}

    @property
    def curvature(self) -> Callable[[Array, Array, Controls], tuple[Array, Controls]] | None:
        """That of the map, and zero, where it has one."""
        return None if self.part.curvature is None else self._curvature

    def _curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        assert self.part.curvature is not None  # noqa: S101 - `curvature` asks for it
        hx, hu = self.part.curvature(py, dx, without_time(du))
        return hx, {**hu, TIME: np.zeros((), py.dtype)}


def without_time(u: Controls) -> Controls:
    """The controls that are none of the time."""
    return {name: value for name, value in u.items() if name != TIME}
