"""The correspondence between named arrays and one flat vector."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from occore.arrays import Array, Controls, array_namespace


@dataclass(frozen=True)
class Layout:
    """Names and shapes of arrays, in the order in which they lie in the flat vector.

    `flatten(unflatten(theta)) == theta` for every vector theta of length `size`; the arrays that
    `unflatten` gives are views of theta where the array library has views.
    """

    shapes: Mapping[str, tuple[int, ...]]

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Where each array lies in the flat vector."""
        ends, result = 0, {}
        for name, shape in self.shapes.items():
            result[name] = slice(ends, ends + math.prod(shape))
            ends = result[name].stop
        return result

    @cached_property
    def size(self) -> int:
        """Length of the flat vector."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def __len__(self) -> int:
        return len(self.shapes)

    def flatten(self, u: Controls) -> Array:
        """The flat vector (size,) of the named arrays."""
        parts = [u[name] for name in self.shapes]
        if not parts:
            return np.zeros(0)
        xp = array_namespace(*parts)
        return xp.concat([xp.reshape(part, (-1,)) for part in parts])

    def unflatten(self, theta: Array) -> Controls:
        """Named arrays of the flat vector (size,)."""
        xp = array_namespace(theta)
        return {
            name: xp.reshape(theta[self.slices[name]], shape) for name, shape in self.shapes.items()
        }

    def zeros(self, dtype: Any = np.float64) -> Controls:
        """Named NumPy arrays of zeros."""
        return {name: np.zeros(shape, dtype) for name, shape in self.shapes.items()}

    def random(self, rng: np.random.Generator, dtype: Any = np.float64) -> Controls:
        """Named NumPy arrays of independent standard normal numbers."""
        return {
            name: rng.standard_normal(shape).astype(dtype) for name, shape in self.shapes.items()
        }

    def stacked(self, count: int) -> Layout:
        """The layout of `count` copies along a new leading axis of each array."""
        return Layout({name: (count, *shape) for name, shape in self.shapes.items()})

    def prefixed(self, prefix: str) -> Layout:
        """The same arrays under the names `prefix/name`."""
        return Layout({f"{prefix}/{name}": shape for name, shape in self.shapes.items()})

    def __add__(self, other: Layout) -> Layout:
        """The arrays of `self` followed by those of `other`; names must differ."""
        both = set(self.shapes) & set(other.shapes)
        if both:
            raise ValueError(f"two layouts share the names {sorted(both)}")
        return Layout({**self.shapes, **other.shapes})
