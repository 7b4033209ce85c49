"""The continuous adjoint: optimise first, then discretise; for comparison with the exact gradient.

    −dλ/dt = f_xᵀ λ,  λ(T) = p,    p_c = ∫ Bᵀ f_uᵀ λ dt

λ is integrated backward by the method and on the grid of the state; x(t) between the nodes is the
cubic Hermite interpolant of the states and their rates, and so is λ(t) in the integral, which takes
three Gauss points a step. Stored states do not drift, as states that are integrated backward do
where the field contracts; the interpolation limits the order to 4. The result is a consistent
approximation of the flow's gradient, not the gradient of the discrete problem: the two differ by
the discretization error.

Gholami, Keutzer and Biros, ANODE (2019), section 3, show what this inconsistency does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from occore.arrays import Array, Controls
from occore.dynamics import Dynamics
from occore.hermite import hermite
from occore.layout import Layout
from occore.linearization import Linearization, Products
from occore.stage_controls import stage_values

if TYPE_CHECKING:
    from occore.adjoint import March

GAUSS = (0.5 - math.sqrt(0.15), 0.5, 0.5 + math.sqrt(0.15))
WEIGHTS = (5 / 18, 8 / 18, 5 / 18)


@dataclass(frozen=True)
class Hermite:
    """The cubic through values and rates at both ends of a step."""

    t: float
    h: float
    values: tuple[Array, Array]
    rates: tuple[Array, Array]

    def __call__(self, t: float) -> Array:
        """Value at a time of the step."""
        return hermite((t - self.t) / self.h, self.values, self.rates, self.h)


@dataclass(frozen=True)
class AdjointField(Dynamics):
    """dλ/dt = −f_xᵀ λ along a trajectory."""

    field: Dynamics
    x: Hermite

    @property
    def controls(self) -> Layout:
        """Those of the field, which are given here."""
        return self.field.controls

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """−f_xᵀ λ."""
        return -self.field.linearize(t, self.x(t), u)[1].vjp(x)[0]

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value, and the derivative in λ, which implicit steps need."""
        part = self.field.linearize(t, self.x(t), u)[1]
        still = {name: 0 * value for name, value in u.items()}
        return -part.vjp(x)[0], Products(
            jvp=lambda dx, du: -part.vjp(dx)[0],
            vjp=lambda py: (-part.jvp(py, still), still),
        )


class ContinuousAdjoint(Linearization):
    """A march whose adjoint is that of the flow; its tangent is that of the discrete march."""

    def __init__(self, march: March, x: Array, u: Controls) -> None:
        self.march, self.u = march, u
        self.states = [x, *march.states(x, u)]

    @property
    def output(self) -> Array:
        """That of the march."""
        observed = self.march.observed
        if observed is None:
            return self.states[-1]
        return np.stack([self.states[k] for k in observed], axis=1)

    @cached_property
    def _discrete(self) -> Linearization:
        return self.march.linearize(self.states[0], self.u)[1]

    def jvp(self, dx: Array, du: Controls) -> Array:
        """Tangent of the discrete march."""
        return self._discrete.jvp(dx, du)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """λ at the start, and the integral for the controls."""
        march, total = self.march, dict[str, Array]()
        costate = py if march.observed is None else 0 * py[:, 0]
        for k in range(march.grid.steps - 1, -1, -1):
            costate = self._observe(k + 1, costate, py)
            costate, part = self._step(k, costate)
            for name, value in part.items():
                total[name] = total[name] + value if name in total else value
        return self._observe(0, costate, py), total

    def _step(self, k: int, after: Array) -> tuple[Array, Controls]:
        """λ before step k, and the part of the step in the control gradient."""
        march, field = self.march, self.march.dynamics
        t, h = float(march.grid.times[k]), float(march.grid.lengths[k])
        ends, _ = self._controls(t, h, (0.0, 1.0))
        first, last = ({n: v[i] for n, v in ends.items()} for i in (0, 1))
        x, y = self.states[k], self.states[k + 1]
        rates = field(t, x, first), field(t + h, y, last)
        state = Hermite(t, h, (x, y), rates)
        adjoint = AdjointField(field, state)
        stages = tuple(1 - c for c in march.discretization.abscissae)
        backward, _ = self._controls(t, h, stages)
        before = march.discretization.step(adjoint, t + h, -h, after, backward)
        slopes = adjoint(t, before, first), adjoint(t + h, after, last)
        costate = Hermite(t, h, (before, after), slopes)
        return before, self._integral(t, h, state, costate)

    def _integral(self, t: float, h: float, state: Hermite, costate: Hermite) -> Controls:
        """∫ Bᵀ f_uᵀ λ dt over a step."""
        controls, basis = self._controls(t, h, GAUSS)
        stacked: dict[str, list[Array]] = {name: [] for name in controls}
        for i, (place, weight) in enumerate(zip(GAUSS, WEIGHTS, strict=True)):
            now = t + place * h
            u = {name: value[i] for name, value in controls.items()}
            pu = self.march.dynamics.linearize(now, state(now), u)[1].vjp(costate(now))[1]
            for name, value in pu.items():
                stacked[name].append(weight * h * value)
        constants = self.march.dynamics.constants
        return {
            name: sum(values) if name in constants else _transpose(basis, np.stack(values))
            for name, values in stacked.items()
        }

    def _controls(self, t: float, h: float, places: tuple[float, ...]) -> tuple[Controls, Any]:
        """Controls at places of a step, with one-sided limits, and their basis matrix."""
        stages = self.march.stages
        basis = stages.basis_at(t, h, places)
        constants = self.march.dynamics.constants
        return stage_values(basis, self.u, constants, len(places)), basis

    def _observe(self, k: int, costate: Array, py: Array) -> Array:
        place = self.march.places.get(k)
        return costate if place is None else costate + py[:, place]


def _transpose(basis: Any, values: Array) -> Array:
    flat = values.reshape(len(values), -1)
    return (basis.T @ flat).reshape(basis.shape[1], *values.shape[1:])
