"""Flatten: each sample's entries in a row, so that a dense or linear layer can take a picture.

f(x) = vec(x), the last axis fastest; there are no controls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

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

StateShape = tuple[int, ...]


@dataclass(frozen=True)
class Flatten(Dynamics):
    """The entries of a state as a vector of features."""

    state_shape: tuple[int, ...]

    controls = Layout({})
    autonomous = True
    affine_in_controls = True

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(entries,)."""
        return (math.prod(self.state_shape),)

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """The samples, (samples, entries)."""
        return reshaped(x, self.output_shape)

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative, which is flattening too."""
        return self(t, x, u), change_of_shape(self.state_shape, self.output_shape)

    @classmethod
    def example(cls) -> Example:
        """A 2 × 2 picture, by hand."""
        return Example(cls((2, 2)), x=[[[1.0, 2.0], [3.0, 4.0]]], u={}, value=[[1, 2, 3, 4]])


def reshaped(x: Array, shape: StateShape) -> Array:
    """Each sample in this shape."""
    return array_namespace(x).reshape(x, (x.shape[0], *shape))


def change_of_shape(before: StateShape, behind: StateShape) -> LinearMap:
    """The derivative of a change of shape, and its transpose, which changes it back."""
    return LinearMap(lambda dx: reshaped(dx, behind), lambda py: reshaped(py, before))
