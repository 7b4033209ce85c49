"""The grid of the state: the times between which a march makes its steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from occore.arrays import Array


@dataclass(frozen=True, eq=False)
class Grid:
    """times: (steps + 1,), increasing or decreasing. lengths: (steps,), of the steps."""

    times: Array
    lengths: Array

    @classmethod
    def uniform(cls, start: float, horizon: float, steps: int) -> Self:
        """Equal steps; their length is one number, so that factorisations can be used again."""
        times = start + horizon * np.arange(steps + 1) / steps
        return cls(times, np.full(steps, horizon / steps))

    @classmethod
    def of(cls, times: Array) -> Self:
        """The grid with these times."""
        times = np.asarray(times, float)
        return cls(times, np.diff(times))

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.lengths)

    def stages(self, abscissae: tuple[float, ...], first: int, last: int) -> tuple[Array, Array]:
        """Relative stage times of the steps first, …, last − 1, and points inside these steps.

        Both are (steps · abscissae,), in [0, 1] over the whole grid. The points inside lie off the
        ends of their step, to tell one-sided limits apart.
        """
        start, horizon = self.times[0], self.times[-1] - self.times[0]
        relative = (self.times[first:last] - start) / horizon, self.lengths[first:last] / horizon
        return stage_times(abscissae, *relative)


def stage_times(abscissae: tuple[float, ...], t: Array, h: Array) -> tuple[Array, Array]:
    """Stage times of the steps from t (steps,) over h, and points inside these steps."""
    c = np.asarray(abscissae)
    inside = 0.5 + (1 - 1e-6) * (c - 0.5)
    t, h = np.asarray(t)[..., None], np.asarray(h)[..., None]
    return (t + c * h).ravel(), (t + inside * h).ravel()
