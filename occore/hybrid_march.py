"""A march with events: steps to each event, the reset, and on to the next node of the grid.

The nodes stay where they are; the times of the events follow from the states, as parts of the
discrete march, whose derivative is exact to rounding. Each sample has events of its own and is
marched alone. Once the pieces of a march are known, they are a chain of maps (`occore.segments`),
on which sweeps and memory policies work as on steps (`occore.hybrid_linearization`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from occore.adjoint import March
from occore.arrays import Array, Controls
from occore.dynamics import Dynamics
from occore.errors import ComputationError, InputError
from occore.events import MOST_EVENTS, Event, first_bracket, is_due, pile_up, root
from occore.objective import RunningObjective
from occore.segments import (
    Direction,
    Instant,
    Reset,
    Segment,
    ToEvent,
    ToNode,
    Variable,
    Whole,
)
from occore.step_controls import MovingControls, StepControls
from occore.time_control import linearize_in_time
from occore.time_scaled import HORIZON
from occore.variable_step import VariableStep, variable


@dataclass(frozen=True)
class Piece:
    """A step from t over `length`, to the event if one ends it, or the reset of an event at t.

    within: start and length of the step of the grid that it is a part of. moved: whether it starts
    at an event, not at the node.
    """

    t: float
    length: float
    within: tuple[float, float]
    event: Event | None = None
    reset: bool = False
    moved: bool = False

    @property
    def whole(self) -> bool:
        """Whether it is all of a step of the grid."""
        return self.event is None and not self.moved

    def until(self, tau: float, event: Event) -> tuple[Piece, Piece]:
        """The part up to an event after τ, and the reset."""
        jump = Piece(self.t + tau, 0.0, self.within, event, reset=True)
        return replace(self, length=tau, event=event), jump

    def after(self, tau: float) -> Piece:
        """The rest, from an event after τ to the end of the step."""
        t = self.t + tau
        return Piece(t, self.within[0] + self.within[1] - t, self.within, moved=True)


@dataclass(frozen=True)
class Hit:
    """An event in a piece: after what time; with what is known of the others at that moment.

    past: places of the events that have happened there, this one included. due: places of others
    that are found there as well, with the signs of their conditions before; rounding may have
    brought them past zero.
    """

    tau: float
    event: Event
    past: tuple[int, ...]
    due: Mapping[int, int]


@dataclass(frozen=True)
class HybridMarch:
    """A march and the events on its way; x has one sample."""

    march: March
    events: tuple[Event, ...]

    def follow(self, x: Array, u: Controls) -> Iterator[tuple[Piece, Array]]:
        """The pieces from the start on, each with the state at its end."""
        last, count, grid = None, 0, self.march.grid
        self._require(x, u)
        for t, h in zip(map(float, grid.times), map(float, grid.lengths), strict=False):
            piece = Piece(t, h, (t, h))
            y = self.advance(piece, x, u)
            while (hit := self.first(piece, x, y, u, last)) is not None:
                for part in piece.until(hit.tau, hit.event):
                    x = self.advance(part, x, u)
                    yield part, x
                if hit.event.terminal:
                    return
                count += 1
                if count >= MOST_EVENTS:
                    raise pile_up(hit.event, count, piece.t + hit.tau)
                last, piece = hit, piece.after(hit.tau)
                y = self.advance(piece, x, u)
            x = y
            yield piece, x
            last = last if is_short(piece, x) else None

    def first(self, piece: Piece, x: Array, y: Array, u: Controls, last: Hit | None) -> Hit | None:
        """The first event in a piece from x to y, if there is one.

        last: the one that has just happened at the start.
        """
        found: list[tuple[float, int, int]] = []
        begin, short = replace(piece, length=0.0), moment(piece, x)
        past, due = (last.past, last.due) if last is not None else ((), {})
        ends = zip(self._at(begin, x, u), self._at(piece, y, u), strict=True)
        for place, (event, both) in enumerate(zip(self.events, ends, strict=True)):

            def g(tau: float, event: Event = event) -> tuple[float, float]:
                return self._along(event, replace(piece, length=tau), x, u)

            at_zero = place in past or place in due
            side = due.get(place, -event.direction)
            soon = short * np.sign(piece.within[1])
            if place not in past and is_due(both[0], side, soon, at_zero):
                found.append((0.0, place, side))
            elif not is_short(piece, x):
                bracket = first_bracket(event, g, piece.t, piece.length, both, at_zero)
                if bracket is not None:
                    found.append((root(g, bracket), place, bracket[2]))
        if not found:
            return None
        first = min((tau for tau, *_ in found), key=abs)
        (tau, place, _), *others = [hit for hit in found if abs(hit[0] - first) <= short]
        earlier = past if abs(tau) <= 10 * short else ()
        due = {other: sign for _, other, sign in others}
        return Hit(tau, self.events[place], (*earlier, place), due)

    def advance(self, piece: Piece, x: Array, u: Controls) -> Array:
        """The state at the end of a piece."""
        method, field = self.march.discretization, self.march.dynamics
        if piece.reset:
            assert piece.event is not None  # noqa: S101 - resets belong to events
            values = {name: value[0] for name, value in self._end(piece).values(u).items()}
            reset = piece.event.reset
            return x if reset is None else reset(piece.t, x, without_horizon(values))
        control = self._stages(piece).values(u)
        if piece.whole:
            return method.step(field, piece.t, piece.length, x, control)
        control = variable(control, piece.t, piece.length, len(method.abscissae))
        return method.step(VariableStep(field), 0.0, 1.0, x, control)

    def segment(self, piece: Piece, x: Array, u: Controls) -> tuple[Array, Segment]:
        """The state at the end of a piece, and the piece as a map."""
        if piece.reset:
            return self._reset(piece, x, u)
        if piece.whole:
            stages, method = self._stages(piece), self.march.discretization
            y, part = method.linearize_step(
                self.march.dynamics, piece.t, piece.length, x, stages.values(u)
            )
            return y, Whole(stages, part)
        y, step = self._variable(piece, x, u)
        if piece.event is None:
            return y, ToNode(step)
        at, _, slope, rate = self._condition(piece.event, piece, y, u, step)
        if slope == 0:
            raise ComputationError(
                f"{piece.event.name!r} at t = {piece.t + piece.length:.8g} only touches zero: its "
                "time has no derivative there"
            )
        return y, ToEvent(step, rate, at, slope)

    def _require(self, x: Array, u: Controls) -> None:
        """Ask before any work for what events need. Raises InputError."""
        if np.iscomplexobj(x):
            raise InputError("events need real states: give real and imaginary parts as states")
        t, h = float(self.march.grid.times[0]), float(self.march.grid.lengths[0])
        start = Piece(t, 0.0, (t, h))
        space = self.march.space
        if space.derivative_basis is None and self._end(start).varying(u):
            raise InputError(
                f"events need the derivatives of controls in time, and {type(space).__name__} has "
                "no derivative_basis: choose another control space"
            )
        self._instant(self.march.dynamics, start, x, u)

    def twice_differentiable(self, x: Array, u: Controls) -> bool:
        """Whether the steps, the conditions and the resets have second derivatives.

        Steps, conditions and resets of one kind have them everywhere or nowhere: asked at x.
        """
        t, h = float(self.march.grid.times[0]), float(self.march.grid.lengths[0])
        piece = Piece(t, h, (t, h))
        parts = [self._variable(piece, x, u)[1].part]
        for event in self.events:
            parts.append(self._instant(event.condition, piece, x, u)[1].part)
            if event.reset is not None:
                parts.append(self._instant(event.reset, piece, x, u)[1].part)
        return all(part.curvature is not None for part in parts)

    def _at(self, piece: Piece, x: Array, u: Controls) -> list[tuple[float, float]]:
        """g of each event and its rate along the field, at the end of a piece."""
        values = {name: value[0] for name, value in self._end(piece).values(u).items()}
        rate = self.march.dynamics(piece.t + piece.length, x, values)
        along, result = Direction(rate, 1.0, still(u)), []
        for event in self.events:
            value, at = self._instant(event.condition, piece, x, u)
            result.append((float(value[0]), float(at.jvp(along)[0])))
        return result

    def _along(self, event: Event, piece: Piece, x: Array, u: Controls) -> tuple[float, float]:
        """g at the end of a step, and its derivative in the length of the step."""
        y, step = self._variable(piece, x, u)
        _, value, slope, _ = self._condition(event, piece, y, u, step)
        return value, slope

    def _variable(self, piece: Piece, x: Array, u: Controls) -> tuple[Array, Variable]:
        stages, method = self._stages(piece), self.march.discretization
        control = variable(stages.values(u), piece.t, piece.length, len(method.abscissae))
        field = VariableStep(self.march.dynamics)
        y, part = method.linearize_step(field, 0.0, 1.0, x, control)
        return y, Variable(MovingControls(stages, u), part)

    def _condition(
        self, event: Event, piece: Piece, y: Array, u: Controls, step: Variable
    ) -> tuple[Instant, float, float, Array]:
        """The event function at the end y of a step, its value, γ and Y_T."""
        value, at = self._instant(event.condition, piece, y, u)
        rate = step.tangent(Direction(0 * y, 0.0, still(u)), 1.0)
        slope = float(at.jvp(Direction(rate, 1.0, still(u)))[0])
        return at, float(value[0]), slope, rate

    def _reset(self, piece: Piece, x: Array, u: Controls) -> tuple[Array, Reset]:
        assert piece.event is not None  # noqa: S101 - resets belong to events
        if piece.event.reset is None:
            return x, Reset(None)
        y, at = self._instant(piece.event.reset, piece, x, u)
        return y, Reset(at)

    def _instant(
        self, owner: RunningObjective | Dynamics, piece: Piece, x: Array, u: Controls
    ) -> tuple[Array, Instant]:
        """A condition, a reset or the field at the end of a piece."""
        controls = self._end(piece)
        values = {name: value[0] for name, value in controls.values(u).items()}
        t = piece.t + piece.length
        if owner is not self.march.dynamics:
            values = without_horizon(values)
        y, part = linearize_in_time(owner, t, x, values)
        return y, Instant(MovingControls(controls, u), self.march.dynamics.controls, part)

    def _stages(self, piece: Piece) -> StepControls:
        places = self.march.discretization.abscissae
        return StepControls(self.march, piece.t, piece.length, places, piece.within)

    def _end(self, piece: Piece) -> StepControls:
        """The controls at the end of a piece."""
        return StepControls(self.march, piece.t, piece.length, (1.0,), piece.within)


def moment(piece: Piece, x: Array) -> float:
    """A time within which two events are taken for simultaneous: rounding, with room to spare."""
    return 1e3 * float(np.finfo(x.dtype).eps) * (abs(piece.within[0]) + abs(piece.within[1]))


def is_short(piece: Piece, x: Array) -> bool:
    """Whether a piece is too short for g to leave zero clearly after an event."""
    return abs(piece.length) <= 10 * moment(piece, x)


def without_horizon(u: Controls) -> Controls:
    """The controls that conditions and resets know."""
    return {name: value for name, value in u.items() if name != HORIZON}


def still(u: Controls) -> Controls:
    """No direction of the coefficients."""
    return {name: 0 * value for name, value in u.items()}
