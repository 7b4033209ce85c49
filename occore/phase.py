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

from occore.adaptive import StepLog, Tolerances
from occore.adjoint import March
from occore.arrays import Array, Controls
from occore.checkpointing import Cost, Linearizations, Memory
from occore.continuous_adjoint import ContinuousAdjoint
from occore.controls import ControlSpace
from occore.discretization import Discretization
from occore.dynamics import Dynamics
from occore.errors import InputError
from occore.events import Event
from occore.free_start import START, FreeStart, inner, with_start
from occore.grid import Grid
from occore.hybrid_linearization import EventMarch, Happened
from occore.layout import Layout
from occore.linearization import Linearization
from occore.phase_grid import adaptive_grid, fixed_grid, observed_steps
from occore.time_control import require_time
from occore.time_scaled import HORIZON, TimeScaled


@dataclass(frozen=True)
class Phase:
    """One link of the chain.

    Without a discretization the phase is static, and only `name` and `dynamics` count.

    steps: equal steps, where neither tolerances nor times are given. tolerances: adaptive steps;
    the grid is found anew for each value of the controls and frozen for the derivatives there.
    times: a given grid. observations: times at which the state is observed, the output is then
    (samples, observations, *state_shape). memory: what the adjoint stores. free_start: which
    entries of the start state are unknown, of the shape of the state. free_horizon: whether the
    horizon is unknown; `horizon` is then where it starts, and times of observations are kept as
    fractions of it. gradient: the exact gradient of the discrete problem, or the continuous
    adjoint. events: where the state jumps. switches: times at which the field jumps in t; stages of
    the steps on both sides see the limits on their side.
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
    events: tuple[Event, ...] = ()
    switches: tuple[float, ...] = ()
    cost: Cost = field(default_factory=Cost, compare=False)
    log: StepLog = field(default_factory=StepLog, compare=False)

    def __post_init__(self) -> None:
        if self.events and self.gradient == "optimize_discretize":
            raise InputError(
                f"phase {self.name!r}: a march with events has the exact gradient only; take "
                'gradient = "discretize_optimize"'
            )
        if self.events and self.dynamics.couples_samples:
            raise InputError(
                f"phase {self.name!r}: events happen to each sample on its own, but the dynamics "
                "couples samples; normalise over the cells of each sample instead"
            )
        for event in self.events:
            self._require_time(event)
        if self.switches and self.free_horizon:
            raise InputError(
                f"phase {self.name!r}: switches are at given times, the horizon is unknown; make "
                "two phases of it, or an event on a state with rate 1"
            )

    def _require_time(self, event: Event) -> None:
        """Whether an event and the field can be differentiated in the time of the event."""
        maps = event.condition, *(() if event.reset is None else (event.reset,))
        for owner in (self.field, *maps):
            require_time(owner)
        if self.free_horizon and not all(owner.autonomous for owner in maps):
            raise InputError(
                f"phase {self.name!r}: the event {event.name!r} depends on t, and the horizon is "
                "unknown; make time a state with rate 1"
            )

    def coupled_by_first(self, samples: int) -> Phase:
        """The phase in which samples depend on the first so many alone, if they are coupled."""
        if self.dynamics.coupled_by_first is None:
            return self
        return replace(self, dynamics=self.dynamics.coupled_by_first(samples))

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
        adaptive = self.tolerances is not None
        return self.on(adaptive_grid(self, x, u, self.log) if adaptive else fixed_grid(self))

    def on(self, grid: Grid) -> March:
        """The march on a grid."""
        assert self.discretization is not None and self.space is not None  # noqa: S101
        observed = observed_steps(self, grid)
        method, space, steps = self.discretization, self.space, self.steps
        return March(self.field, method, space, steps, grid, self.memory, observed, self.cost)

    def _route(self, x: Array, u: Controls) -> March | EventMarch:
        """The march, with the events on its way if there are any."""
        march = self.march(x, u)
        return EventMarch(march, self.events) if self.events else march

    def happened(self, x: Array, u: Controls) -> list[list[Happened]]:
        """The events of each sample, in order."""
        start, controls = self.begin(x, u)
        hits = EventMarch(self.march(start, controls), self.events).happened(start, controls)
        if not self.free_horizon:
            return hits
        scale = float(u[HORIZON])
        return [[replace(hit, time=self.start + scale * hit.time) for hit in each] for each in hits]

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
        return self._route(start, controls).states(start, controls)

    def __call__(self, x: Array, u: Controls) -> Array:
        """The output: the end state, or the observed states."""
        if self.static:
            return self.dynamics(0.0, x, u)
        start, controls = self._start(x, u), self._controls(u)
        return self._route(start, controls)(start, controls)

    def linearize(self, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The output, and its derivative with respect to (x, u)."""
        if self.static:
            return self.dynamics.linearize(0.0, x, u)
        start, controls = self._start(x, u), self._controls(u)
        if self.gradient == "optimize_discretize":
            part = ContinuousAdjoint(self.march(start, controls), start, controls)
            y = part.output
        else:
            y, part = self._route(start, controls).linearize(start, controls)
        return y, part if self.free_start is None else FreeStart(np.asarray(self.free_start), part)

    def begin(self, x: Array, u: Controls) -> tuple[Array, Controls]:
        """Start states with the unknown ones filled in, and the controls of the march."""
        return self._start(x, u), self._controls(u)

    def _start(self, x: Array, u: Controls) -> Array:
        return x if self.free_start is None else with_start(x, self.free_start, u[START])

    def _controls(self, u: Controls) -> Controls:
        return inner(u)
