"""A terminal cost that is given as an expression: Φ(x(T), x(0), T, unknowns)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from occore.arrays import Array, Controls
from occore.errors import StructureError
from occore.objective import EndObjective, ObjectiveLinearization, PhaseControls
from occore.phase import START, Phase
from occore.symbolic.cost_kernels import cost_kernels
from occore.symbolic.expression_dynamics import TIME, ExpressionDynamics
from occore.time_scaled import HORIZON

if TYPE_CHECKING:
    from occore.symbolic.kernels import Kernels


@dataclass(frozen=True)
class ExpressionEnd(EndObjective):
    """A terminal cost given as an expression, summed over the samples."""

    text: str
    phase: Phase
    dynamics: ExpressionDynamics

    def __post_init__(self) -> None:
        _ = self.kernels  # the expression is read at once, so that its errors come early

    @cached_property
    def kernels(self) -> Kernels:
        """Kernels of Φ; their u is (end time, start states, unknowns)."""
        starts = tuple(f"{state}_start" for state in self.dynamics.states)
        given = (TIME, *starts, *self.dynamics.unknowns)
        return cost_kernels("terminal", self.text, self.dynamics.states, given, self.dynamics, "")

    def __call__(self, inputs: Array, x: Array, controls: PhaseControls) -> Array:
        """Φ."""
        return np.sum(self.kernels.value(0.0, x, self._given(inputs, controls)))

    def linearize(
        self, inputs: Array, x: Array, controls: PhaseControls
    ) -> tuple[Array, ObjectiveLinearization]:
        """Φ and its derivatives."""
        given = self._given(inputs, controls)
        value = np.sum(self.kernels.value(0.0, x, given))
        return value, EndLinearization(self, x, given)

    def _given(self, inputs: Array, controls: PhaseControls) -> Array:
        """(samples, 1 + states + unknowns)."""
        phase, u = self.phase, controls[self.phase.name]
        horizon = u[HORIZON] if phase.free_horizon else phase.horizon
        start = phase.start + np.asarray(horizon)
        given = self._columns([start, *np.array(inputs).T], u, len(inputs))
        return given if np.iscomplexobj(given) else given.astype(inputs.dtype)

    def _columns(self, columns: list[Any], u: Controls, samples: int) -> Array:
        """(end time, start states, unknowns) of each sample, with the unknown start states in."""
        if self.phase.free_start is not None:
            places = np.flatnonzero(self.phase.free_start)
            for place, value in zip(places, u[START], strict=True):
                columns[1 + int(place)] = value
        columns.extend(u[name] for name in self.dynamics.unknowns)
        return np.stack([np.broadcast_to(column, (samples,)) for column in columns], axis=1)

    def direction(self, d: PhaseControls, samples: int) -> Array:
        """A direction of the controls as one of `_given`, (samples, 1 + states + unknowns)."""
        u = d[self.phase.name]
        zeros = [0.0] * len(self.dynamics.states)
        return self._columns([u.get(HORIZON, 0.0), *zeros], u, samples)

    def split(self, p: Array) -> tuple[Array, PhaseControls]:
        """Adjoint (samples, states + given) as that of the end states and that of the controls."""
        count = len(self.dynamics.states)
        given = np.sum(p[:, count:], axis=0)
        u: Controls = {}
        if self.phase.free_horizon:
            u[HORIZON] = given[0]
        if self.phase.free_start is not None:
            u[START] = given[1 : 1 + count][np.asarray(self.phase.free_start)]
        u.update(zip(self.dynamics.unknowns, given[1 + count :], strict=True))
        return p[:, :count], {self.phase.name: u}


@dataclass(frozen=True)
class EndLinearization(ObjectiveLinearization):
    """Derivatives of Φ at one point (x, controls)."""

    owner: ExpressionEnd
    x: Array
    given: Array

    def gradient(self) -> tuple[Array, PhaseControls]:
        """Φ_x and Φ_θ."""
        ones = np.ones((len(self.x), 1), self.x.dtype)
        p = self.owner.kernels.vjp(0.0, self.x, self.given, ones)
        return self.owner.split(p)

    def hessian_product(self, d: tuple[Array, PhaseControls]) -> tuple[Array, PhaseControls]:
        """The Hessian in (x, θ) times a direction."""
        dx, controls = d
        along = self.owner.direction(controls, len(self.x)).astype(self.x.dtype)
        ones = np.ones((len(self.x), 1), self.x.dtype)
        p = self.owner.kernels.curvature(0.0, self.x, self.given, ones, dx, along)
        return self.owner.split(p)

    def gauss_newton_product(self, d: Any) -> Any:
        """None is known of a general expression. Raises StructureError."""
        raise StructureError("a terminal expression has no Gauss–Newton part; use Hessian products")
