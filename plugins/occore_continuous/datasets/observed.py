"""Observed trajectories as arrays: starts, the union of all times, and NaN where nothing was seen.

    inputs (samples, states)     targets (samples, times, states)     times (times,)

Samples have times of their own; all share the union of them, at which a march has its nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from occore import Array, Data

SAME = 1e-9
"""Times nearer than this part of the longest trajectory are one time."""


@dataclass(frozen=True)
class Trajectory:
    """One sample: times (n,) that increase from 0 on, and values (n, states), NaN where missing."""

    start: Array
    times: Array
    values: Array


def observed(trajectories: Sequence[Trajectory], states: tuple[str, ...], digest: str) -> Data:
    """The data of some trajectories of the named states."""
    every = np.sort(np.concatenate([each.times for each in trajectories]))
    apart = np.diff(every, prepend=-np.inf) > SAME * every[-1]
    times = every[apart]
    targets = np.full((len(trajectories), len(times), len(states)), np.nan)
    for sample, each in enumerate(trajectories):
        places = np.searchsorted(times, each.times * (1 + SAME) + SAME * times[-1] / 2) - 1
        targets[sample, places] = each.values
    inputs = np.stack([each.start for each in trajectories])
    return Data(inputs, targets, features=states, digest=digest, times=times)
