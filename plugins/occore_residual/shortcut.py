"""The shortcut of option A: every so many cells, and zeros for the channels that are added.

f(x) = (x at every `stride`-th cell of each axis, 0);    there are no controls.

He, Zhang, Ren and Sun, Deep residual learning for image recognition, CVPR (2016), section 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass

from occore import Array, Controls, Dynamics, InputError, Layout, Linearization, LinearMap
from occore import array_namespace as namespace


@dataclass(frozen=True)
class PaddedShortcut(Dynamics):
    """(…, channels) → (…, more channels), on a grid that is `stride` times as coarse."""

    state_shape: tuple[int, ...]
    channels: int
    stride: int = 1

    controls = Layout({})
    autonomous = True

    def __post_init__(self) -> None:
        if self.channels < self.state_shape[-1]:
            raise InputError(
                f"zeros are added to the {self.state_shape[-1]} channels of the state, and the "
                f'block has {self.channels}: take shortcut = "projection"'
            )

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(*coarser grid, channels)."""
        return (*(-(-n // self.stride) for n in self.state_shape[:-1]), self.channels)

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """x, thinned out and padded."""
        thin = x[(slice(None), *self._cells, slice(None))]
        missing = self.channels - self.state_shape[-1]
        if not missing:
            return +thin
        xp = namespace(x)
        zeros = xp.zeros((*thin.shape[:-1], missing), dtype=x.dtype)
        return xp.concat([thin, zeros], axis=-1)

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value, and the map itself."""
        return self(t, x, u), LinearMap(lambda dx: self(t, dx, {}), self._transpose)

    @property
    def _cells(self) -> tuple[slice, ...]:
        return tuple(slice(None, None, self.stride) for _ in self.state_shape[:-1])

    def _transpose(self, py: Array) -> Array:
        kept = py[..., : self.state_shape[-1]]
        for axis, n in enumerate(self.state_shape[:-1], 1):
            kept = _spread(kept, axis, n, self.stride)
        return +kept


def _spread(p: Array, axis: int, n: int, stride: int) -> Array:
    """p at every `stride`-th of n places along an axis, zeros between."""
    if stride == 1:
        return p
    xp, shape = namespace(p), p.shape
    zeros = xp.zeros((*shape[: axis + 1], stride - 1, *shape[axis + 1 :]), dtype=p.dtype)
    wide = xp.concat([xp.expand_dims(p, axis=axis + 1), zeros], axis=axis + 1)
    wide = xp.reshape(wide, (*shape[:axis], shape[axis] * stride, *shape[axis + 1 :]))
    return wide[(*(slice(None) for _ in range(axis)), slice(0, n))]
