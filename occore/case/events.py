"""Events of a case: conditions and resets given as expressions, with all derivatives generated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from occore.case.lines import Path as KeyPath
from occore.case.model import EventTable, HorizonTable, PhaseTable
from occore.dynamics import Dynamics
from occore.errors import InputError, nearest
from occore.events import Event
from occore.symbolic.expression_dynamics import TIME, ExpressionDynamics
from occore.symbolic.running_cost import ExpressionRunning

Fault = tuple[KeyPath, str]

DIRECTIONS: Mapping[str, Literal[-1, 0, 1]] = {"falling": -1, "both": 0, "rising": 1}


def events_of(table: PhaseTable, dynamics: Dynamics) -> tuple[tuple[Event, ...], list[Fault]]:
    """The events of a phase, and what is wrong with their keys."""
    if not table.event:
        return (), []
    if not isinstance(dynamics, ExpressionDynamics):
        text = 'events are expressions in named states: they need dynamics of kind = "symbolic"'
        return (), [(("event",), text)]
    faults: list[Fault] = []
    if table.gradient == "optimize_discretize":
        text = 'a march with events has the exact gradient only: choose "discretize_optimize"'
        faults.append((("gradient",), text))
    names = [event.name for event in table.event]
    for index, event in enumerate(table.event):
        if event.name in names[:index]:
            text = f"two events have the name {event.name!r}; give each its own"
            faults.append((("event", index, "name"), text))
        faults.extend(
            (("event", index, *path), text)
            for path, text in _faults(event, dynamics, isinstance(table.horizon, HorizonTable))
        )
    return (() if faults else tuple(_event(event, dynamics) for event in table.event)), faults


def _faults(event: EventTable, dynamics: ExpressionDynamics, free: bool) -> list[Fault]:
    """What is wrong with the expressions of one event. free: whether the horizon is unknown."""
    from occore.symbolic.expressions import parse_expression

    faults: list[Fault] = []
    names = [TIME, *dynamics.states, *dynamics.controls, *dynamics.parameters]
    texts: dict[KeyPath, str] = {("condition",): event.condition}
    for state, text in (event.reset or {}).items():
        texts["reset", state] = text
        if state not in dynamics.states:
            known = f"{nearest(state, dynamics.states)} Known: {', '.join(dynamics.states)}"
            faults.append((("reset", state), f"{state!r} is no state.{known}"))
    for path, text in texts.items():
        try:
            used = {symbol.name for symbol in parse_expression(text, names).free_symbols}
        except InputError as error:
            faults.append((path, str(error)))
            continue
        if free and TIME in used:
            why = "depends on t, and the horizon is unknown: make time a state with rate 1"
            faults.append((path, why))
        if path == ("condition",) and not used & {TIME, *dynamics.states}:
            faults.append((path, "has neither a state nor t in it, so it never passes zero"))
    return faults


def _event(event: EventTable, dynamics: ExpressionDynamics) -> Event:
    reset = None
    if event.reset:
        # read as a map, the rates are the state after the event
        after = {state: event.reset.get(state, state) for state in dynamics.states}
        reset = ExpressionDynamics(
            dynamics.states,
            dynamics.control_names,
            after,
            dynamics.unknowns,
            dynamics.parameters,
            dynamics.compiler,
        )
    condition = ExpressionRunning(event.condition, dynamics)
    return Event(condition, reset, DIRECTIONS[event.direction], event.terminal, event.name)
