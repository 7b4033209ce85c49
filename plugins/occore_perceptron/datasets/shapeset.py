"""Shapeset: pictures of one or two shapes, a triangle, a parallelogram or an ellipse; nine classes.

Each shape has a random place, size, direction and brightness; the second one is drawn over the
first, of which at least half can be seen. The classes are which shapes there are: three of one, and
six of two, in which order does not matter. The pictures are made anew, after the description of
Shapeset-3×2 in Glorot and Bengio (2010), section 2.1; theirs are not to be had, nor their numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Array, Data, Dataset, Example
from occore_least_squares.datasets.content import array_digest
from occore_least_squares.datasets.supervised import one_hot_rows


def triangle(x: Array, y: Array) -> Array:
    """Whether points lie in the triangle with the corners (0, 1) and (±√3/2, −½)."""
    return (y >= -0.5) & (y + math.sqrt(3) * abs(x) <= 1)


def parallelogram(x: Array, y: Array) -> Array:
    """Whether points lie in a sheared square."""
    return (abs(y) <= 0.6) & (abs(x - 0.5 * y) <= 0.6)


def ellipse(x: Array, y: Array) -> Array:
    """Whether points lie in an ellipse of half the height."""
    return x * x + (2 * y) ** 2 <= 1


SHAPES: dict[str, Callable[[Array, Array], Array]] = {
    "triangle": triangle,
    "parallelogram": parallelogram,
    "ellipse": ellipse,
}
NAMES = tuple(SHAPES)
PAIRS = tuple((a, b) for k, a in enumerate(NAMES) for b in NAMES[k:])
CLASSES = (*NAMES, *(f"{a} and {b}" for a, b in PAIRS))
MOST_HIDDEN = 0.5
"""Share of the first shape that the second may cover."""


@dataclass(frozen=True)
class Shapeset(Dataset):
    """Classification: inputs (samples, side²) from 0 to 1, one-hot targets (samples, 9)."""

    samples: Annotated[int, Field(gt=0, description="pictures")] = 2000
    side: Annotated[int, Field(ge=8, le=256, description="pixels along each side")] = 32

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All pictures, drawn from rng; every class is equally likely."""
        label = rng.integers(len(CLASSES), size=self.samples)
        inputs = np.stack([self._picture(CLASSES[k], rng).ravel() for k in label])
        targets = one_hot_rows(label, len(CLASSES))
        size = (self.side, self.side)
        return Data(inputs, targets, CLASSES, digest=array_digest(inputs, targets), picture=size)

    def _picture(self, name: str, rng: np.random.Generator) -> Array:
        """Brightness of each pixel (side, side) on a black ground."""
        shapes = rng.permutation(name.split(" and "))
        first = self._mask(shapes[0], rng)
        masks = [first, *(self._beside(first, shape, rng) for shape in shapes[1:])]
        picture = np.zeros((self.side, self.side))
        for mask, brightness in zip(masks, self._brightness(len(masks), rng), strict=True):
            picture[mask] = brightness
        return picture

    def _beside(self, first: Array, shape: str, rng: np.random.Generator) -> Array:
        """A mask of the shape that leaves enough of the first one in sight."""
        while True:
            mask = self._mask(shape, rng)
            if (first & mask).sum() <= MOST_HIDDEN * first.sum():
                return mask

    def _mask(self, shape: str, rng: np.random.Generator) -> Array:
        """Which pixels a shape at a random place covers."""
        radius = rng.uniform(0.2, 0.35) * self.side
        down, right = rng.uniform(radius, self.side - 1 - radius, 2)
        angle = rng.uniform(0, 2 * math.pi)
        place = np.arange(self.side)
        y, x = (down - place[:, None]) / radius, (place - right) / radius
        c, s = math.cos(angle), math.sin(angle)
        return SHAPES[shape](c * x + s * y, c * y - s * x)

    def _brightness(self, count: int, rng: np.random.Generator) -> Array:
        """One for each shape, a quarter apart, so that one is seen on another."""
        first = rng.uniform(0.25, 1.0)
        second = 0.25 + (first - 0.25 + rng.uniform(0.25, 0.5)) % 0.75
        return np.array([first, second])[:count]

    @classmethod
    def example(cls) -> Example:
        """Nine pictures of 32 × 32 pixels."""
        return Example(cls(samples=9), value=(9, 1024))
