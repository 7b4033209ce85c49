"""The controls at some places of one step, and how they change with the times of these places.

    u(τ; c) = B(τ) c,    du = B dc + u_τ dτ
    pc = Bᵀ pu,          pτ = ⟨pu, u_τ⟩
    dpc = Bᵀ dpu + B_τᵀ (dτ pu),    dpτ = ⟨dpu, u_τ⟩ + ⟨pu, B_τ dc + u_ττ dτ⟩

symbol   code            shape                  meaning
c        coefficients    (size, *shape)         of the controls
τ        times           (places,)              of the places
B        basis           (places, size)         rows of the basis matrix of the control space
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from occore.arrays import Array, Controls
from occore.controls import evaluate
from occore.stage_controls import stage_values

if TYPE_CHECKING:
    from occore.adjoint import March


@dataclass(frozen=True)
class StepControls:
    """Places in [0, 1] of a step from t over h, a part of the step `within` (start, length).

    The pieces of the controls are those of the step that it is a part of.
    """

    march: March
    t: float
    h: float
    places: tuple[float, ...]
    within: tuple[float, float]

    nbytes: ClassVar[int] = 0
    """What a sweep stores with it; the march belongs to all steps."""

    @cached_property
    def _relative(self) -> tuple[Array, Array]:
        """Relative times, and points inside the step off its ends."""
        ends = self.march.grid.times
        start, horizon = float(ends[0]), self._horizon
        times = (self.t - start + np.asarray(self.places) * self.h) / horizon
        middle = (self.within[0] - start + self.within[1] / 2) / horizon
        return times, middle + (1 - 1e-6) * (times - middle)

    @property
    def _horizon(self) -> float:
        ends = self.march.grid.times
        return float(ends[-1] - ends[0])

    @cached_property
    def basis(self) -> Any:
        """B."""
        return self.march.space.basis(self.march.steps, *self._relative)

    def derivative_basis(self, order: int) -> Any:
        """B_τ or B_ττ, in the time of the march."""
        derivative = self.march.space.derivative_basis
        assert derivative is not None, "asked for before the march"  # noqa: S101
        return derivative(self.march.steps, *self._relative, order) / self._horizon**order

    def values(self, coefficients: Controls) -> Controls:
        """The controls (places, *shape), with one-sided limits at the ends of the step."""
        constants, count = self.march.dynamics.constants, len(self.places)
        basis = self.basis if coefficients.keys() - constants else None
        return stage_values(basis, coefficients, constants, count)

    def transpose(self, pu: Controls) -> Controls:
        """The adjoint of `values`."""
        constants = self.march.dynamics.constants
        return {
            name: np.sum(p, axis=0)
            if name in constants
            else evaluate(self.basis.T, {name: p})[name]
            for name, p in pu.items()
        }

    def varying(self, u: Controls) -> Controls:
        """Those of some controls that vary in time."""
        constants = self.march.dynamics.constants
        return {name: value for name, value in u.items() if name not in constants}


@dataclass(frozen=True)
class MovingControls:
    """The controls at the places of a step whose times move."""

    controls: StepControls
    coefficients: Controls

    nbytes: ClassVar[int] = 0
    """What a sweep stores with it; the coefficients belong to all steps."""

    @cached_property
    def _rates(self) -> Controls:
        """u_τ, of the controls that vary in time."""
        return self._derivative(1, self.coefficients)

    def _derivative(self, order: int, coefficients: Controls) -> Controls:
        varying = self.controls.varying(coefficients)
        return evaluate(self.controls.derivative_basis(order), varying) if varying else {}

    def tangent(self, dc: Controls, dtimes: Array) -> Controls:
        """du of all controls, along the coefficients and the times (places,)."""
        du = self.controls.values(dc)
        for name, rate in self._rates.items():
            du[name] = du[name] + _along(dtimes, rate)
        return du

    def adjoint(self, pu: Controls) -> tuple[Controls, Array]:
        """pc and pτ of adjoints (places, *shape) of all controls."""
        return self.controls.transpose(pu), self._inner(pu, self._rates)

    def second(self, pu: Controls, dc: Controls, dtimes: Array) -> tuple[Controls, Array]:
        """The derivative of `adjoint` along (dc, dτ), at fixed pu."""
        varying = self.controls.varying(pu)
        pc = {name: 0 * c for name, c in dc.items() if name in pu}
        if not varying:
            return pc, np.zeros(len(self.controls.places))
        moved = {name: _along(dtimes, p) for name, p in varying.items()}
        pc.update(evaluate(self.controls.derivative_basis(1).T, moved))
        bend, turn = self._derivative(2, self.coefficients), self._derivative(1, dc)
        return pc, self._inner(pu, {n: turn[n] + _along(dtimes, b) for n, b in bend.items()})

    def _inner(self, pu: Controls, rates: Controls) -> Array:
        """⟨pu, rate⟩ at each place."""
        total = np.zeros(len(self.controls.places))
        for name, rate in rates.items():
            total = total + np.sum((pu[name] * rate).reshape(len(rate), -1), axis=1)
        return total


def _along(dtimes: Array, values: Array) -> Array:
    """Values (places, *shape), each times the number of its place."""
    return np.asarray(dtimes, values.dtype).reshape(-1, *(1,) * (values.ndim - 1)) * values
