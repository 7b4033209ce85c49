"""Picture: the features of each sample, one row of pixels after the other, as a picture.

f(x) = x in the shape (height, width, channels), channels last; there are no controls. It is the
inverse of `flatten`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from occore import (
    Array,
    Controls,
    Data,
    Dynamics,
    Example,
    InputError,
    Layout,
    Linearization,
)
from occore_single_layer.flatten import change_of_shape, reshaped


@dataclass(frozen=True)
class Picture(Dynamics):
    """A vector of features as a picture with channels; square unless the data or `height` say."""

    state_shape: tuple[int, ...]
    channels: Annotated[int, Field(gt=0, description="numbers of each pixel")] = 1
    height: Annotated[
        int | None, Field(gt=0, description="rows of pixels; by default those of the data")
    ] = None

    controls = Layout({})
    autonomous = True
    affine_in_controls = True

    def __post_init__(self) -> None:
        if len(self.state_shape) != 1:
            raise InputError(
                f"a picture is made of a vector of features; its state has the shape "
                f"{self.state_shape}: leave this phase out, or flatten the state before it"
            )

    def for_data(self, data: Data) -> Picture:
        """With the height that the data give, if the options give none."""
        if self.height is not None or data.picture is None:
            return self
        rows, columns = data.picture
        if rows * columns * self.channels != self.state_shape[0]:
            raise InputError(
                f"the pictures of the data have {rows} × {columns} pixels, which in "
                f"{self.channels} channels are not the {self.state_shape[0]} features of the state"
            )
        return replace(self, height=rows)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(height, width, channels). Raises InputError where the features do not fill it."""
        pixels, left = divmod(self.state_shape[0], self.channels)
        height = math.isqrt(pixels) if self.height is None else self.height
        if left or pixels % height or (self.height is None and height**2 != pixels):
            shape = "a square" if self.height is None else f"{height} rows"
            raise InputError(
                f"{self.state_shape[0]} features do not fill {shape} of pixels in {self.channels} "
                "channels; give the height and the channels"
            )
        return (height, pixels // height, self.channels)

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """The pictures, (samples, height, width, channels)."""
        return reshaped(x, self.output_shape)

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative, which is the same change of shape."""
        return self(t, x, u), change_of_shape(self.state_shape, self.output_shape)

    @classmethod
    def example(cls) -> Example:
        """Two rows of two pixels, by hand."""
        return Example(cls((4,)), x=[[1.0, 2.0, 3.0, 4.0]], u={}, value=[[[[1], [2]], [[3], [4]]]])
