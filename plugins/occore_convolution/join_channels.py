"""Join channels: a pair of pictures as one picture with all their channels.

(2, …, c) → (…, 2 c): undoes `split_channels`; there are no controls.
"""

from __future__ import annotations

from dataclasses import dataclass

from occore import Array, Controls, Dynamics, Example, Layout, Linearization, LinearMap
from occore_convolution.separable import half_shape
from occore_convolution.split_channels import merged, split


@dataclass(frozen=True)
class JoinChannels(Dynamics):
    """The channels of the first picture of a pair, then those of the second."""

    state_shape: tuple[int, ...]

    controls = Layout({})
    autonomous = True
    affine_in_controls = True

    def __post_init__(self) -> None:
        half_shape(self.state_shape)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(…, 2 c)."""
        return (*self.state_shape[1:-1], 2 * self.state_shape[-1])

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """The pictures, (samples, …, 2 c)."""
        return merged(x)

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative, which only moves entries."""
        return merged(x), LinearMap(merged, split)

    @classmethod
    def example(cls) -> Example:
        """Two pictures of two cells and one channel, by hand."""
        return Example(
            cls((2, 2, 1)),
            x=[[[[1.0], [3.0]], [[2.0], [4.0]]]],
            u={},
            value=[[[1.0, 2.0], [3.0, 4.0]]],
        )
