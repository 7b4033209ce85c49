"""A march with events: steps to each event, the reset, and on to the next node of the grid.

The nodes stay where they are; the times of the events follow from the states, as parts of the
discrete march, whose derivative is exact to rounding. Each sample has events of its own and is
marched alone. Once the pieces of a march are known, they are a chain of maps (`occore.segments`),
on which sweeps and memory policies work as on steps (`occore.hybrid_linearization`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from occore.adjoint import March
from occore.arrays import Array, Controls
from occore.errors import ComputationError
from occore.events import MOST_EVENTS, Event, brackets_of, pile_up, root
from occore.linearization import Linearization
from occore.segments import Instant, Reset, Segment, ToEvent, ToNode, Variable, Whole
from occore.step_controls import StepControls
from occore.time_scaled import HORIZON
from occore.variable_step import VariableStep, time_rate, variable

RESTING = 1e-9
"""Parts of a step that are too short for g to leave zero clearly after an event."""


@dataclass(frozen=True)
class Piece:
    """A step from t over `length`, to the event if one ends it, or the reset of an event at t.

    within: start and length of the step of the grid that it is a part of.
    """

    t: float
    length: float
    within: tuple[float, float]
    event: Event | None = None
    reset: bool = False

    @property
    def whole(self) -> bool:
        """Whether it is all of a step of the grid."""
        return self.event is None and (self.t, self.length) == self.within

    def until(self, tau: float, event: Event) -> tuple[Piece, Piece]:
        """The part up to an event after τ, and the reset."""
        jump = Piece(self.t + tau, 0.0, self.within, event, reset=True)
        return Piece(self.t, tau, self.within, event), jump

    def after(self, tau: float) -> Piece:
        """The rest, from an event after τ to the end of the step."""
        t = self.t + tau
        return Piece(t, self.within[0] + self.within[1] - t, self.within)


@dataclass(frozen=True)
class HybridMarch:
    """A march and the events on its way; x has one sample."""

    march: March
    events: tuple[Event, ...]

    def follow(self, x: Array, u: Controls) -> Iterator[tuple[Piece, Array]]:
        """The pieces from the start on, each with the state at its end."""
        fresh, count, grid = None, 0, self.march.grid
        self._require_time_rate(x, u)
        for t, h in zip(map(float, grid.times), map(float, grid.lengths), strict=False):
            piece = Piece(t, h, (t, h))
            y = self.advance(piece, x, u)
            while (hit := self.first(piece, x, y, u, fresh)) is not None:
                tau, fresh = hit
                for part in piece.until(tau, fresh):
                    x = self.advance(part, x, u)
                    yield part, x
                if fresh.terminal:
                    return
                count += 1
                if count >= MOST_EVENTS:
                    raise pile_up(fresh, piece.t + tau)
                piece = piece.after(tau)
                y = self.advance(piece, x, u)
            x = y
            yield piece, x
            if abs(piece.length) > RESTING * abs(h):
                fresh = None

    def first(
        self, piece: Piece, x: Array, y: Array, u: Controls, fresh: Event | None
    ) -> tuple[float, Event] | None:
        """The first event in a piece from x to y: after what time, and which.

        fresh: the event that has just happened at its start, if one has.
        """
        begin, end = replace(piece, length=0.0), piece
        found: list[tuple[float, Event]] = []
        for event, (g0, s0), (g1, s1) in zip(
            self.events, self._at(begin, x, u), self._at(end, y, u), strict=True
        ):

            def g(tau: float, event: Event = event) -> tuple[float, float]:
                return self._along(replace(piece, length=tau, event=event), x, u)

            brackets = brackets_of(
                lambda tau, g=g: g(tau)[0], piece.length, (g0, g1), (s0, s1), event is fresh
            )
            wanted = [b for b in brackets if event.direction in (0, -b[2])]
            if wanted:
                found.append((root(g, wanted[0]), event))
        return min(found, key=lambda hit: abs(hit[0])) if found else None

    def advance(self, piece: Piece, x: Array, u: Controls) -> Array:
        """The state at the end of a piece."""
        method, field = self.march.discretization, self.march.dynamics
        if piece.reset:
            assert piece.event is not None  # noqa: S101 - resets belong to events
            reset = piece.event.reset
            return x if reset is None else reset(piece.t, x, self._instant(piece, u)[1])
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
        at, _, slope, rate = self._condition(piece, y, u, step)
        if slope == 0:
            raise ComputationError(
                f"{piece.event.name!r} at t = {piece.t + piece.length:.8g} only touches zero: its "
                "time has no derivative there"
            )
        return y, ToEvent(step, rate, at, slope)

    def _at(self, piece: Piece, x: Array, u: Controls) -> list[tuple[float, float]]:
        """g of each event and its rate along the field, at the end of a piece."""
        t = piece.t + piece.length
        controls = StepControls(self.march, piece.t, piece.length, (1.0,), piece.within)
        values = {name: value[0] for name, value in controls.values(u).items()}
        rate, result = self.march.dynamics(t, x, values), []
        still = {name: 0 * c for name, c in u.items()}
        for event in self.events:
            value, part = event.condition.linearize(t, x, without_horizon(values))
            slope = self._map(controls, part, u).jvp(rate, 1.0, still)
            result.append((float(value[0]), float(slope[0])))
        return result

    def _require_time_rate(self, x: Array, u: Controls) -> None:
        """Fail early where an event could not be differentiated."""
        field, t = self.march.dynamics, float(self.march.grid.times[0])
        if not field.autonomous:
            values = StepControls(
                self.march, t, 0.0, (0.0,), (t, float(self.march.grid.lengths[0]))
            )
            u = {name: value[0] for name, value in values.values(u).items()}
            time_rate(field, field.linearize(t, x, u)[1])

    def _along(self, piece: Piece, x: Array, u: Controls) -> tuple[float, float]:
        """g at the end of a step, and its derivative in the length of the step."""
        y, step = self._variable(piece, x, u)
        _, value, slope, _ = self._condition(piece, y, u, step)
        return value, slope

    def _variable(self, piece: Piece, x: Array, u: Controls) -> tuple[Array, Variable]:
        stages, method = self._stages(piece), self.march.discretization
        control = variable(stages.values(u), piece.t, piece.length, len(method.abscissae))
        field = VariableStep(self.march.dynamics)
        y, part = method.linearize_step(field, 0.0, 1.0, x, control)
        return y, Variable(stages, stages.rates(u), part)

    def _condition(
        self, piece: Piece, y: Array, u: Controls, step: Variable
    ) -> tuple[Instant, float, float, Array]:
        """The event function at the end y of a step, its value, γ and dy/dT."""
        assert piece.event is not None  # noqa: S101 - conditions belong to events
        controls, values = self._instant(piece, u)
        value, part = piece.event.condition.linearize(piece.t + piece.length, y, values)
        at = self._map(controls, part, u)
        still = {name: 0 * c for name, c in u.items()}
        rate = step.tangent(0 * y, 0.0, 1.0, still)
        return at, float(value[0]), float(at.jvp(rate, 1.0, still)[0]), rate

    def _reset(self, piece: Piece, x: Array, u: Controls) -> tuple[Array, Reset]:
        assert piece.event is not None  # noqa: S101 - resets belong to events
        if piece.event.reset is None:
            return x, Reset(None)
        controls, values = self._instant(piece, u)
        y, part = piece.event.reset.linearize(piece.t, x, values)
        return y, Reset(self._map(controls, part, u))

    def _map(self, controls: StepControls, part: Linearization, u: Controls) -> Instant:
        return Instant(controls, controls.rates(u), self.march.dynamics.controls, part)

    def _stages(self, piece: Piece) -> StepControls:
        places = self.march.discretization.abscissae
        return StepControls(self.march, piece.t, piece.length, places, piece.within)

    def _instant(self, piece: Piece, u: Controls) -> tuple[StepControls, Controls]:
        """The controls at the end of a piece; those of the maps are without an unknown horizon."""
        controls = StepControls(self.march, piece.t, piece.length, (1.0,), piece.within)
        values = controls.values(u)
        return controls, without_horizon({name: value[0] for name, value in values.items()})


def without_horizon(u: Controls) -> Controls:
    """The controls that conditions and resets know."""
    return {name: value for name, value in u.items() if name != HORIZON}
