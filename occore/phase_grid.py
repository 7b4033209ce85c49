"""The grid of a phase: equal steps, given times or adaptive steps, with the times that it must hit.

Observations and declared switches are nodes of every grid. At a switch the field jumps in t, and a
stage at the end of a step would ask for it at the jump itself; so the step before a switch ends a
few units in the last place before it, and the step after begins as much behind. The state is the
same to rounding, and every stage sees the limit on its own side, whatever method makes the step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from occore.adaptive import Interrupt, StepLog, adapt
from occore.arrays import Array, Controls
from occore.errors import InputError
from occore.grid import Grid, stage_times
from occore.hybrid_march import HybridMarch, Piece, is_short
from occore.stage_controls import stage_values

if TYPE_CHECKING:
    from occore.phase import Phase

SAME = 1e-12
"""Times nearer than this part of the horizon are one node."""


def observation_times(phase: Phase) -> Array:
    """Where the march is observed, in its own time.

    Where the horizon is unknown, times up to its guess are kept as fractions of it.
    """
    times = np.asarray(phase.observations or (), float)
    return (times - phase.start) / phase.horizon if phase.free_horizon else times


def observed_steps(phase: Phase, grid: Grid) -> tuple[int, ...] | None:
    """After how many steps of the grid the state is observed."""
    if phase.observations is None:
        return None
    return tuple(map(int, _nearest(grid.times, observation_times(phase))))


def fixed_grid(phase: Phase) -> Grid:
    """The grid of a phase with equal steps or given times."""
    start, horizon = phase.span
    if phase.times is None:
        grid = Grid.uniform(start, horizon, phase.steps)
    else:
        grid = Grid.of(np.asarray(phase.times, float))
    return _around(phase, _with_nodes(grid, stops(phase)))


def adaptive_grid(phase: Phase, x: Array, u: Controls, log: StepLog) -> Grid:
    """The grid that the tolerances ask for; with events it has the nodes of all samples."""
    assert phase.discretization is not None and phase.space is not None  # noqa: S101
    assert phase.tolerances is not None  # noqa: S101
    start, horizon = phase.span
    method, space, constants = phase.discretization, phase.space, phase.field.constants
    count = len(method.abscissae)

    def control(t: float, h: float) -> Controls:
        points = stage_times(method.abscissae, (t - start) / horizon, h / horizon)
        return stage_values(space.basis(phase.steps, *points), u, constants, count)

    breaks = start + horizon * np.asarray(space.breaks(phase.steps))
    ends = Grid.of(np.array([start, start + horizon]))
    nodes = _with_nodes(ends, np.concatenate([breaks, stops(phase)]))
    grid = _around(phase, nodes)
    spans = [(float(t), float(t + h)) for t, h in zip(grid.times, grid.lengths, strict=False)]

    def sweep(part: Array, interrupt: Interrupt | None) -> Array:
        tolerances = phase.tolerances
        assert tolerances is not None  # noqa: S101
        args = (phase.field, method, tolerances, part, control, spans, log, interrupt)
        return adapt(*args).times

    if not phase.events:
        return _around(phase, Grid.of(sweep(x, None)))
    provisional = phase.on(ends)
    marches = [
        sweep(x[i : i + 1], interrupt_of(HybridMarch(provisional, phase.events), u))
        for i in range(len(x))
    ]
    return _around(phase, _with_nodes(Grid.of(marches[0]), np.concatenate(marches[1:] or [[]])))


def interrupt_of(hybrid: HybridMarch, u: Controls) -> Interrupt:
    """What the search for a grid asks in each step: whether an event is on its way."""
    last = None

    def interrupt(t: float, h: float, x: Array, y: Array) -> tuple[float, Array, bool] | None:
        nonlocal last
        piece = Piece(t, h, (t, h))
        hit = hybrid.first(piece, x, y, u, last)
        if hit is None:
            last = last if is_short(piece, x) else None
            return None
        last = hit
        for part in piece.until(hit.tau, hit.event):
            x = hybrid.advance(part, x, u)
        return t + hit.tau, x, hit.event.terminal

    return interrupt


def stops(phase: Phase) -> Array:
    """Times that must be nodes."""
    return np.concatenate([observation_times(phase), np.asarray(phase.switches, float)])


def _with_nodes(grid: Grid, times: Array) -> Grid:
    """The grid with these times as nodes; the same grid where they are."""
    start, end = float(grid.times[0]), float(grid.times[-1])
    tolerance, sign = SAME * abs(end - start), 1.0 if end > start else -1.0
    outside = [
        float(t) for t in times if sign * (t - start) < -tolerance or sign * (t - end) > tolerance
    ]
    if outside:
        raise InputError(f"the times {outside} lie outside the phase, from {start:g} to {end:g}")
    new = times[np.abs(grid.times[_nearest(grid.times, times)] - times) > tolerance]
    if not len(new):
        return grid
    nodes = np.unique(np.concatenate([grid.times, new]))[:: int(sign)]
    apart = np.append(np.abs(np.diff(nodes)) > tolerance, True)
    return Grid.of(nodes[apart])


def _nearest(nodes: Array, times: Array) -> Array:
    """Places of the nodes that are nearest to some times; nodes increase or decrease."""
    sign = np.sign(nodes[-1] - nodes[0])
    after = np.clip(np.searchsorted(sign * nodes, sign * times), 1, len(nodes) - 1)
    closer = np.abs(nodes[after - 1] - times) < np.abs(nodes[after] - times)
    return np.where(closer, after - 1, after)


def _around(phase: Phase, grid: Grid) -> Grid:
    """The grid with a gap of some units in the last place at each switch."""
    if not phase.switches:
        return grid
    times, lengths = grid.times.copy(), grid.lengths.copy()
    ends = grid.times[0], grid.times[-1]
    gap = 4 * float(np.spacing(np.max(np.abs(ends)))) * np.sign(ends[1] - ends[0])
    places = _nearest(grid.times, np.asarray(phase.switches, float))
    for k, t in sorted(zip(map(int, places), phase.switches, strict=True)):
        times[k] = t + gap
        if k > 0:
            lengths[k - 1] = t - gap - times[k - 1]
        if k < len(lengths):
            lengths[k] = grid.times[k + 1] - times[k]
    return Grid(times, lengths)
