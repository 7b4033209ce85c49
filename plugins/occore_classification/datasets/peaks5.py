"""Peaks-5: five levels of the peaks function as five classes of points of the plane.

    p(x, y) = 3 (1 − x)² exp(−x² − (y + 1)²) − 10 (x/5 − x³ − y⁵) exp(−x² − y²)
              − ⅓ exp(−(x + 1)² − y²)

on the 256 × 256 grid of [−3, 3]²; five bins of equal height between its minimum and its maximum are
the classes, and of each class equally many grid points are drawn. The peaks function is MATLAB's;
the classification problem is that of the course.

No point is drawn twice, so that held-out points are new ones. The smallest class has 1,798 grid
points, which allows 8,990 samples; the course's 10,000 take some of them twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Array, Data, Dataset, Example, InputError
from occore_least_squares.datasets.content import array_digest
from occore_least_squares.datasets.supervised import one_hot_rows

CLASSES = 5
SIDE = 256
EXTENT = 3.0


def peaks(x: Array, y: Array) -> Array:
    """p(x, y), dimensionless."""
    return (
        3 * (1 - x) ** 2 * np.exp(-(x**2) - (y + 1) ** 2)
        - 10 * (x / 5 - x**3 - y**5) * np.exp(-(x**2) - y**2)
        - np.exp(-((x + 1) ** 2) - y**2) / 3
    )


def peaks_grid() -> tuple[Array, Array]:
    """The points of the grid (65536, 2) and p there."""
    axis = np.linspace(-EXTENT, EXTENT, SIDE)
    x, y = np.meshgrid(axis, axis)
    return np.stack([x.ravel(), y.ravel()], axis=1), peaks(x, y).ravel()


def levels(p: Array) -> Array:
    """The bin of equal height that each value lies in, 0 to 4."""
    share = (p - p.min()) / (p.max() - p.min())
    return np.minimum((CLASSES * share).astype(np.int64), CLASSES - 1)


@dataclass(frozen=True)
class Peaks5(Dataset):
    """Classification: inputs (samples, 2), one-hot targets (samples, 5), as many of each class."""

    samples: Annotated[
        int, Field(gt=0, multiple_of=CLASSES, description="points, a fifth of each class")
    ] = 8_750

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """The points that are drawn. Raises InputError where a class has too few grid points."""
        points, p = peaks_grid()
        label, each = levels(p), self.samples // CLASSES
        sizes = np.bincount(label, minlength=CLASSES)
        if each > sizes.min():
            raise InputError(
                f"{self.samples} samples need {each} grid points of each class, but the smallest "
                f"class has {sizes.min()}: take at most {CLASSES * sizes.min()} samples"
            )
        drawn = [
            rng.choice(np.flatnonzero(label == k), each, replace=False) for k in range(CLASSES)
        ]
        place = np.concatenate(drawn)
        rows = one_hot_rows(label[place], CLASSES)
        names = tuple(f"level {k + 1}" for k in range(CLASSES))
        return Data(points[place], rows, names, ("x", "y"), array_digest(points[place], rows))

    @classmethod
    def example(cls) -> Example:
        """1,750 points of each class, in the plane."""
        return Example(cls(), value=(8_750, 2))
