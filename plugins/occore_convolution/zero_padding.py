"""Zero padding: a frame of zeros around a picture.

f(x) = x inside, 0 in the frame;    the adjoint takes the frame away. There are no controls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from occore import (
    Array,
    Controls,
    Dynamics,
    Example,
    Layout,
    Linearization,
    LinearMap,
    array_namespace,
)
from occore_convolution.windows import require_picture


@dataclass(frozen=True)
class ZeroPadding(Dynamics):
    """The picture in a frame of zeros."""

    state_shape: tuple[int, ...]
    width: Annotated[int, Field(gt=0, description="cells of the frame, on each side of each axis")]

    controls = Layout({})
    autonomous = True
    affine_in_controls = True

    def __post_init__(self) -> None:
        require_picture("zero padding", self.state_shape)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(*grid + 2 width, channels)."""
        *grid, channels = self.state_shape
        return (*(n + 2 * self.width for n in grid), channels)

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """The framed pictures, (samples, *output_shape)."""
        return self._framed(x)

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative, which is padding too."""
        return self._framed(x), LinearMap(self._framed, self._unframed)

    def _framed(self, x: Array) -> Array:
        xp = array_namespace(x)
        for axis in range(1, x.ndim - 1):
            shape = (*x.shape[:axis], self.width, *x.shape[axis + 1 :])
            frame = xp.zeros(shape, dtype=x.dtype)
            x = xp.concat([frame, x, frame], axis=axis)
        return x

    def _unframed(self, py: Array) -> Array:
        inside = slice(self.width, -self.width)
        return +py[(slice(None), *(inside for _ in self.state_shape[:-1]), slice(None))]

    @classmethod
    def example(cls) -> Example:
        """A picture of one row, by hand."""
        zeros = [[0.0]] * 4
        return Example(
            cls(state_shape=(1, 2, 1), width=1),
            x=[[[[1.0], [2.0]]]],
            u={},
            value=[[zeros, [[0.0], [1.0], [2.0], [0.0]], zeros]],
        )
