"""A phase: an integrated dynamics or a static layer; the end state of one is the start of the next.

    dx/dt = f(t, x, u(t)) over the horizon     an integrated phase, with a discretization
    x_out = f(x_in, u)                         a static phase

A phase is a map of (x, u), with u the coefficients of its controls; among them may be unknown start
values `start` and an unknown `horizon`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from occore.adaptive import StepLog, Tolerances, adapt
from occore.adjoint import March
from occore.arrays import Array, Controls, array_namespace
from occore.checkpointing import Cost, Linearizations, Memory
from occore.continuous_adjoint import ContinuousAdjoint
from occore.controls import ControlSpace
from occore.discretization import Discretization
from occore.dynamics import Dynamics
from occore.grid import Grid, stage_times
from occore.layout import Layout
from occore.linearization import Linearization
from occore.stage_controls import stage_values
from occore.time_scaled import HORIZON, TimeScaled

START = "start"


@dataclass(frozen=True)
class Phase:
    """One link of the chain.

    Without a discretization the phase is static, and only `name` and `dynamics` count.

    steps: equal steps, where neither tolerances nor times are given. tolerances: adaptive steps;
    the grid is found anew for each value of the controls and frozen for the derivatives there.
    times: a given grid. observations: times at which the state is observed, the output is then
    (samples, observations, *state_shape). memory: what the adjoint stores. free_start: which
    entries of the start state are unknown, of the shape of the state. free_horizon: whether the
    horizon is unknown; `horizon` is then where it starts. gradient: the exact gradient of the
    discrete problem, or the continuous adjoint.
    """

    name: str
    dynamics: Dynamics
    discretization: Discretization | None = None
    steps: int = 1
    horizon: float = 1.0
    start: float = 0.0
    space: ControlSpace | None = None
    tolerances: Tolerances | None = None
    times: tuple[float, ...] | None = None
    observations: tuple[float, ...] | None = None
    memory: Memory = field(default_factory=Linearizations)
    free_start: Array = None
    free_horizon: bool = False
    gradient: Literal["discretize_optimize", "optimize_discretize"] = "discretize_optimize"
    cost: Cost = field(default_factory=Cost, compare=False)
    log: StepLog = field(default_factory=StepLog, compare=False)

    @property
    def static(self) -> bool:
        """Whether the phase is a layer, without time."""
        return self.discretization is None

    @property
    def field(self) -> Dynamics:
        """What is integrated: the dynamics, in relative time where the horizon is unknown."""
        return TimeScaled(self.dynamics) if self.free_horizon else self.dynamics

    @property
    def span(self) -> tuple[float, float]:
        """Start and horizon of what is integrated."""
        return (0.0, 1.0) if self.free_horizon else (self.start, self.horizon)

    @property
    def layout(self) -> Layout:
        """Names and shapes of the coefficients; those that vary in time have a leading axis."""
        if self.space is None:
            return self.dynamics.controls
        size, constants = self.space.size(self.steps), self.field.constants
        shapes = {
            name: shape if name in constants else (size, *shape)
            for name, shape in self.field.controls.shapes.items()
        }
        start = {} if self.free_start is None else {START: (int(np.sum(self.free_start)),)}
        return Layout(shapes) + Layout(start)

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """Where an optimizer starts; each coefficient in time is drawn on its own."""
        if self.space is None:
            return self.dynamics.initial_controls(rng)
        draws = [self.field.initial_controls(rng) for _ in range(self.space.size(self.steps))]
        u = {
            name: draws[0][name]
            if name in self.field.constants
            else np.stack([draw[name] for draw in draws])
            for name in self.field.controls
        }
        if self.free_horizon:
            u[HORIZON] = np.asarray(self.horizon)
        if self.free_start is not None:
            u[START] = np.zeros(int(np.sum(self.free_start)))
        return u

    def march(self, x: Array, u: Controls) -> March:
        """The march at these controls; an adaptive grid is found for this start and them."""
        assert self.discretization is not None and self.space is not None  # noqa: S101
        start, horizon = self.span
        stops = np.asarray(self.observations or (), float)
        if self.tolerances is not None:
            grid = self._adaptive_grid(x, u, stops)
        elif self.times is not None:
            grid = Grid.of(np.asarray(self.times))
        else:
            grid = Grid.uniform(start, horizon, self.steps)
        observed = None
        if self.observations is not None:
            observed = tuple(int(k) for k in np.searchsorted(grid.times, stops - 1e-12 * horizon))
        return March(
            self.field,
            self.discretization,
            self.space,
            self.steps,
            grid,
            self.memory,
            observed,
            self.cost,
        )

    def frozen(self, x: Array, u: Controls) -> Phase:
        """The phase on the grid that it has here, whatever start and controls become."""
        if self.static:
            return self
        grid = self.march(self._start(x, u), self._controls(u)).grid
        return replace(self, tolerances=None, times=tuple(map(float, grid.times)))

    def grid_times(self, x: Array, u: Controls) -> Array:
        """The grid of the state at this start and these controls, in time, not relative to it."""
        times = self.march(self._start(x, u), self._controls(u)).grid.times
        return self.start + float(u[HORIZON]) * times if self.free_horizon else times

    def states(self, x: Array, u: Controls) -> Iterator[Array]:
        """The states after each step; the output alone for a static phase."""
        if self.static:
            return iter([self.dynamics(0.0, x, u)])
        start, controls = self._start(x, u), self._controls(u)
        return self.march(start, controls).states(start, controls)

    def __call__(self, x: Array, u: Controls) -> Array:
        """The output: the end state, or the observed states."""
        if self.static:
            return self.dynamics(0.0, x, u)
        start, controls = self._start(x, u), self._controls(u)
        return self.march(start, controls)(start, controls)

    def linearize(self, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The output, and its derivative with respect to (x, u)."""
        if self.static:
            return self.dynamics.linearize(0.0, x, u)
        start, controls = self._start(x, u), self._controls(u)
        march = self.march(start, controls)
        if self.gradient == "optimize_discretize":
            y, part = march(start, controls), ContinuousAdjoint(march, start, controls)
        else:
            y, part = march.linearize(start, controls)
        return y, part if self.free_start is None else FreeStart(np.asarray(self.free_start), part)

    def begin(self, x: Array, u: Controls) -> tuple[Array, Controls]:
        """Start states with the unknown ones filled in, and the controls of the march."""
        return self._start(x, u), self._controls(u)

    def _start(self, x: Array, u: Controls) -> Array:
        return x if self.free_start is None else _with_start(x, self.free_start, u[START])

    def _controls(self, u: Controls) -> Controls:
        return {name: value for name, value in u.items() if name != START}

    def _adaptive_grid(self, x: Array, u: Controls, stops: Array) -> Grid:
        start, horizon = self.span
        assert self.discretization is not None and self.space is not None  # noqa: S101
        assert self.tolerances is not None  # noqa: S101
        method, space, constants = self.discretization, self.space, self.field.constants
        count = len(method.abscissae)

        def control(t: float, h: float) -> Controls:
            points = stage_times(method.abscissae, (t - start) / horizon, h / horizon)
            return stage_values(space.basis(self.steps, *points), u, constants, count)

        breaks = start + horizon * np.asarray(space.breaks(self.steps))
        ends = np.array([start, start + horizon])
        inner = np.concatenate([breaks, stops])
        inner = inner[(inner > start) & (inner < start + horizon)]
        stops = np.unique(np.concatenate([ends, inner]))
        return adapt(self.field, method, self.tolerances, x, control, stops, self.log)


@dataclass(frozen=True)
class FreeStart(Linearization):
    """A march after its unknown start values: x ← x with u["start"] in the free entries."""

    free: Array
    part: Linearization

    def jvp(self, dx: Array, du: Controls) -> Array:
        """That of the march along the start."""
        return self.part.jvp(_with_start(dx, self.free, du[START]), _inner(du))

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """The free entries of px, summed over the samples, go to the start values."""
        return self._start(*self.part.vjp(py))

    @property
    def curvature(self):
        """Where the march has one."""
        return None if self.part.curvature is None else self._curvature

    def _curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        assert self.part.curvature is not None  # noqa: S101 - `curvature` asks for it
        start = _with_start(dx, self.free, du[START])
        return self._start(*self.part.curvature(py, start, _inner(du)))

    def _start(self, px: Array, pu: Controls) -> tuple[Array, Controls]:
        xp = array_namespace(px)
        start = xp.sum(px, axis=0)[self.free]
        return xp.where(xp.asarray(self.free), 0 * px, px), {**pu, START: start}


def _with_start(x: Array, free: Array, start: Array) -> Array:
    """x (samples, *state_shape) with the start values in the free entries of every sample."""
    result = np.array(x, dtype=np.result_type(x, start))
    result[:, np.asarray(free)] = start
    return result


def _inner(u: Controls) -> Controls:
    return {name: value for name, value in u.items() if name != START}
