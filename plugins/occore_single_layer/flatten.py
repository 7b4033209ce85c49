"""Flatten: each sample's entries in a row, so that a dense or linear layer can take a picture.

f(x) = vec(x), the last axis fastest; there are no controls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from occore import Array, Controls, Dynamics, Example, Layout, Linearization, array_namespace


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
        return array_namespace(x).reshape(x, (x.shape[0], *self.output_shape))

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative, which is flattening too."""
        return self(t, x, u), FlattenLinearization(self)

    @classmethod
    def example(cls) -> Example:
        """A 2 × 2 picture, by hand."""
        return Example(cls((2, 2)), x=[[[1.0, 2.0], [3.0, 4.0]]], u={}, value=[[1, 2, 3, 4]])


@dataclass(frozen=True)
class FlattenLinearization(Linearization):
    """Flattening, and its transpose."""

    map: Flatten

    def jvp(self, dx: Array, du: Controls) -> Array:
        """dx, flattened."""
        return self.map(0.0, dx, du)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """py in the shape of the state."""
        return array_namespace(py).reshape(py, (py.shape[0], *self.map.state_shape)), {}

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """Zero: the map is linear."""
        return 0 * dx, {}
