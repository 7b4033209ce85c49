"""Max pooling: the largest entry in each window of a picture, channel by channel.

f(x) = max over each window of x;    dy = dx at the largest entry;    px = py there, zero elsewhere

Where several entries of a window are the largest, f has a kink; of its subgradients the one that
belongs to the first of them is taken, in the order of rows. There are no controls, and no curvature
off the kinks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from occore import Array, Controls, Dynamics, Example, Layout, Linearization, array_namespace
from occore_convolution.windows import Windows


@dataclass(frozen=True)
class MaxPooling(Dynamics):
    """The largest entry in each window."""

    state_shape: tuple[int, ...]
    window: Annotated[int, Field(gt=0, description="cells of a window along each axis")] = 2
    stride: Annotated[
        int | None, Field(gt=0, description="cells from a window to the next; `window` by default")
    ] = None

    controls = Layout({})
    autonomous = True
    kinks = True
    affine_in_controls = True

    def __post_init__(self) -> None:
        self.windows  # noqa: B018 - a window that does not fit is refused here

    @property
    def windows(self) -> Windows:
        """The windows over the grid."""
        return Windows(self.state_shape, self.window, self.stride or self.window)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(*windows along each axis, channels)."""
        return self.windows.output_shape

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """The maxima, (samples, *output_shape)."""
        xp, (first, *others) = array_namespace(x), self.windows.places
        largest = +x[first]
        for place in others:
            largest = xp.maximum(largest, x[place])
        return largest

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative."""
        xp, y, places = array_namespace(x), self(t, x, u), self.windows.places
        chosen, free = [], xp.ones(y.shape, dtype=xp.bool)
        for place in places:
            here = free & (x[place] == y)
            chosen.append(xp.astype(here, x.dtype))  # numbers: a product with them is quick
            free = free ^ here
        return y, MaxPoolingLinearization(self.windows, tuple(chosen))

    @classmethod
    def example(cls) -> Example:
        """A signal of two channels, windows of three cells, two apart: they share a cell."""
        x = [[1.0, -2.0], [3.0, -8.0], [9.0, -5.0], [4.0, -0.5], [27.0, -1.5]]
        return Example(
            cls(state_shape=(5, 2), window=3, stride=2),
            x=[x],
            u={},
            value=[[[9.0, -2.0], [27.0, -0.5]]],
        )


@dataclass(frozen=True)
class MaxPoolingLinearization(Linearization):
    """Where the maxima are: for each cell of a window, 1 where it is the largest, else 0."""

    windows: Windows
    chosen: tuple[Array, ...]

    def jvp(self, dx: Array, du: Controls) -> Array:
        """dx at the maxima."""
        pairs = zip(self.windows.places, self.chosen, strict=True)
        return sum(one * dx[place] for place, one in pairs)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """py at the maxima, zero elsewhere."""
        return self.windows.scatter(one * py for one in self.chosen), {}

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """Zero: the map is piecewise linear."""
        return 0 * dx, {}
