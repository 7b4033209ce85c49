"""Split channels: the two halves of the channels as a pair, for fields on positions and momenta.

(…, 2 c) → (2, …, c): the first half of the channels, then the second; there are no controls.
`join_channels` undoes it.
"""

from __future__ import annotations

from dataclasses import dataclass

from occore import (
    Array,
    Controls,
    Dynamics,
    Example,
    InputError,
    Layout,
    Linearization,
    LinearMap,
    array_namespace,
)
from occore_convolution.separable import halves, joined


@dataclass(frozen=True)
class SplitChannels(Dynamics):
    """The two halves of the channels, one after the other."""

    state_shape: tuple[int, ...]

    controls = Layout({})
    autonomous = True
    affine_in_controls = True

    def __post_init__(self) -> None:
        if not self.state_shape or self.state_shape[-1] % 2:
            raise InputError(
                f"takes an even number of channels; its state has the shape {self.state_shape}: "
                "give the phase before it another number of channels"
            )

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(2, …, c)."""
        return (2, *self.state_shape[:-1], self.state_shape[-1] // 2)

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """The pair, (samples, 2, …, c)."""
        return split(x)

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative, which only moves entries."""
        return split(x), LinearMap(split, merged)

    @classmethod
    def example(cls) -> Example:
        """Two cells of two channels, by hand."""
        return Example(
            cls((2, 2)),
            x=[[[1.0, 2.0], [3.0, 4.0]]],
            u={},
            value=[[[[1.0], [3.0]], [[2.0], [4.0]]]],
        )


def split(x: Array) -> Array:
    """(samples, …, 2 c) → (samples, 2, …, c)."""
    c = x.shape[-1] // 2
    return joined(x[..., :c], x[..., c:])


def merged(x: Array) -> Array:
    """(samples, 2, …, c) → (samples, …, 2 c)."""
    return array_namespace(x).concat(list(halves(x)), axis=-1)
