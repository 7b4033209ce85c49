"""A running cost that is given as an expression: ℓ(t, x, u), all derivatives generated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from occore.arrays import Array, Controls
from occore.linearization import Linearization
from occore.objective import RunningObjective
from occore.symbolic.cost_kernels import cost_kernels
from occore.symbolic.dynamics import (
    SymbolicLinearization,
    flat,
    linearization,
    linearization_in_time,
)
from occore.symbolic.expression_dynamics import TIME, ExpressionDynamics

if TYPE_CHECKING:
    from occore.symbolic.kernels import Kernels


@dataclass(frozen=True)
class ExpressionRunning(RunningObjective):
    """A cost rate given as an expression."""

    text: str
    dynamics: ExpressionDynamics

    def __post_init__(self) -> None:
        _ = self.kernels  # the expression is read at once, so that its errors come early

    @property
    def autonomous(self) -> bool:
        """Whether t is not in the expression."""
        return self.kernels.tape.autonomous

    @cached_property
    def kernels(self) -> Kernels:
        """Kernels of ℓ(t, x, u) with the controls of the dynamics."""
        states, controls = self.dynamics.states, tuple(self.dynamics.controls)
        return cost_kernels("running", self.text, states, controls, self.dynamics, TIME)

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """ℓ of each sample."""
        return self.kernels.value(t, x, flat(self.dynamics.controls, u, x))[:, 0]

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """ℓ and its derivative."""
        value, part = linearization(self.kernels, self.dynamics.controls, t, x, u)
        return value[:, 0], RunningLinearization(part)

    def linearize_in_time(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The same, with t among the controls."""
        value, part = linearization_in_time(self.kernels, self.dynamics.controls, t, x, u)
        return value[:, 0], RunningLinearization(part)


@dataclass(frozen=True)
class RunningLinearization(Linearization):
    """Products of ℓ at one point, from those of the map with the one output ℓ."""

    part: SymbolicLinearization

    def jvp(self, dx: Array, du: Controls) -> Array:
        """ℓ_x dx + ℓ_u du of each sample."""
        return self.part.jvp(dx, du)[:, 0]

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """(ℓ_xᵀ py, ℓ_uᵀ py)."""
        return self.part.vjp(py[:, None])

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """The directional derivative of `vjp`."""
        return self.part.curvature(py[:, None], dx, du)
