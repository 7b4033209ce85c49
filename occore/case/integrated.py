"""Integrated phases of a case: grid, memory, unknown start and horizon, guesses."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from occore.adaptive import Tolerances
from occore.case.events import Fault, events_of
from occore.case.model import DiscretizationTable, HorizonTable, PhaseTable, Ramp, SlotsTable
from occore.checkpointing import Linearizations, Memory, Reversible, Slots, States
from occore.controls import ControlSpace
from occore.data import Data
from occore.discretization import Discretization
from occore.dynamics import Dynamics
from occore.errors import InputError, nearest
from occore.objective import PhaseControls
from occore.phase import START, Phase

if TYPE_CHECKING:
    from occore.case.case import PhaseSpec


def start_data(spec: PhaseSpec) -> Data:
    """One sample at the start values of the first phase; unknown ones begin at zero.

    Raises InputError where the dynamics has no named states, or a name is none of them.
    """
    names = _state_names(spec)
    if names is None:
        raise InputError(
            "without [data], the first phase needs a dynamics with named states, such as "
            'kind = "symbolic"'
        )
    given = _given(spec)
    for name in given:
        if name not in names:
            raise InputError(f"{name!r} is no state.{nearest(name, names)} Known: {list(names)}")
    return Data(np.array([[given.get(name, 0.0) for name in names]]), digest="none")


def _state_names(spec: PhaseSpec) -> tuple[str, ...] | None:
    """Names of the states, from the options or the class of a dynamics."""
    options = spec.dynamics.options
    return getattr(options, "states", None) or getattr(spec.dynamics.entry.cls, "states", None)


def integrated_phase(
    spec: PhaseSpec,
    grid: DiscretizationTable,
    dynamics: Dynamics,
    method: Discretization,
    space: ControlSpace,
    first: bool,
    data: Data | None,
) -> tuple[Phase, list[Fault]]:
    """The phase of a checked table, and what is wrong with its keys.

    first: whether it is the first of the chain. data: `None` where the chain starts from the values
    of the case.
    """
    table: PhaseTable = spec.table
    free = isinstance(table.horizon, HorizonTable)
    horizon = table.horizon.guess if isinstance(table.horizon, HorizonTable) else table.horizon
    starts, faults = first and data is None, list[Fault]()
    observations, missing = _observations(table, data)
    if missing is None and table.observations == "data" and "horizon" not in table.model_fields_set:
        horizon = observations[-1]
    if missing is not None:
        faults.append((("observations",), missing))
    if free and not dynamics.autonomous:
        text = "an unknown horizon needs a dynamics without t: make time a state with rate 1"
        faults.append((("horizon",), text))
    fault = None if starts else _fault_of_start(table, first, data)
    if fault is not None:
        faults.append((("start",), fault))
    if grid.rtol is not None and method.step_with_error is None:
        text = "this method estimates no error: give steps, or choose one that does, as dopri5"
        faults.append((("discretization", "rtol"), text))
    if table.memory == "reversible" and method.retreat is None:
        text = "this method cannot be reversed: choose leapfrog, or another memory"
        faults.append((("memory",), text))
    switches = table.switches or ()
    if not _increasing(observations) or any(not 0 <= t <= horizon for t in observations):
        text = f"times must increase from 0 to the horizon {horizon:g}"
        faults.append((("observations",), text))
    if not _increasing(switches) or any(not 0 < t < horizon for t in switches):
        text = f"times must increase and lie between 0 and the horizon {horizon:g}"
        faults.append((("switches",), text))
    if free and switches:
        text = (
            "switches are at given times, the horizon is unknown: make two phases of it, or an "
            "event on a state with rate 1"
        )
        faults.append((("switches",), text))
    events, wrong = events_of(table, dynamics)
    faults.extend(wrong)
    phase = Phase(
        spec.table.name,
        dynamics,
        method,
        steps=grid.steps or 1,
        horizon=horizon,
        space=space,
        tolerances=_tolerances(grid),
        observations=None if table.observations is None else observations,
        memory=_memory(table.memory),
        free_start=_free_start(spec, data) if starts or table.start else None,
        free_horizon=free,
        gradient=table.gradient,
        events=events,
        switches=() if free else switches,
    )
    return phase, faults


def _increasing(times: tuple[float, ...]) -> bool:
    return all(a < b for a, b in pairwise(times))


def _tolerances(grid: DiscretizationTable) -> Tolerances | None:
    if grid.rtol is None:
        return None
    atol = 1e-3 * grid.rtol if grid.atol is None else grid.atol
    return Tolerances(grid.rtol, atol, grid.first_step, grid.max_steps)


def _memory(memory: str | SlotsTable) -> Memory:
    if isinstance(memory, SlotsTable):
        return Slots(memory.slots, memory.disk)
    return {"linearizations": Linearizations, "states": States, "reversible": Reversible}[memory]()


def _observations(table: PhaseTable, data: Data | None) -> tuple[tuple[float, ...], str | None]:
    """Times of the observations, and why there are none where the data have none."""
    if table.observations != "data":
        return table.observations or (), None
    if data is None or data.times is None:
        text = (
            "the data have no times of observations; give the times, or take observed trajectories"
        )
        return (), text
    return tuple(map(float, data.times)), None


def _fault_of_start(table: PhaseTable, first: bool, data: Data | None) -> str | None:
    """What is wrong with the key `start` where the case gives no start values."""
    if table.start is None or (table.start == "unknown" and first and data and data.samples == 1):
        return None
    if table.start == "unknown" and first and data:
        return (
            f"an unknown start is one for all samples, and the data have {data.samples}: only for "
            "one trajectory"
        )
    return "the start comes from the data or the phase before"


def _given(spec: PhaseSpec) -> dict[str, float]:
    """The start values of the case."""
    start = spec.table.start
    return start if isinstance(start, dict) else {}


def _free_start(spec: PhaseSpec, data: Data | None) -> Any:
    """Which states are unknown at the start; `None` where all are given."""
    if data is not None:
        return np.ones(data.inputs.shape[1:], bool)
    given, names = _given(spec), _state_names(spec) or ()
    free = np.array([name not in given for name in names])
    return free if np.any(free) else None


def apply_guess(phase: Phase, controls: PhaseControls, name: str, value: float | Ramp) -> None:
    """Put a guess into the controls. Raises InputError where nothing unknown has this name."""
    u, states = controls[phase.name], getattr(phase.dynamics, "states", ())
    free = () if phase.free_start is None else np.flatnonzero(phase.free_start)
    unknown = [states[place] for place in free]
    if name in phase.dynamics.controls:
        times = 0.0
        if name not in phase.dynamics.constants and phase.space is not None:
            times = np.asarray(phase.space.nodes(phase.steps))
        elif isinstance(value, Ramp):
            raise InputError(f"{name!r} does not vary in time; give a number")
        guess = (
            value.start + (value.end - value.start) * times if isinstance(value, Ramp) else value
        )
        shape = u[name].shape
        column = np.reshape(guess, (-1, *[1] * (len(shape) - 1))) if np.ndim(guess) else guess
        u[name] = np.broadcast_to(column, shape).astype(u[name].dtype)
    elif name in unknown and not isinstance(value, Ramp):
        u[START] = u[START].copy()
        u[START][unknown.index(name)] = value
    else:
        known = [*phase.dynamics.controls, *unknown]
        raise InputError(f"nothing unknown has this name.{nearest(name, known)} Known: {known}")
