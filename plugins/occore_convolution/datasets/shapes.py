"""Shapes: discs and squares on a textured background with noise, and the class of each pixel.

A picture has one to three shapes at random places, some hidden by later ones. The background is a
wave in a random direction; the shapes have a brightness of their own, and everything has noise, so
that the brightness of one pixel does not say its class: discs and squares are equally bright, and
what tells them apart is their outline.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Array, Data, Dataset, Example
from occore_least_squares.datasets.content import array_digest
from occore_least_squares.datasets.supervised import one_hot_rows

CLASSES = ("background", "disc", "square")
MOST_SHAPES = 3
TEXTURE = 0.25
"""Amplitude of the wave, around zero; shapes have a brightness of one on average."""


@dataclass(frozen=True)
class Shapes(Dataset):
    """Segmentation: inputs (samples, side, side, 1), one-hot targets (samples, side, side, 3)."""

    samples: Annotated[int, Field(gt=0, description="pictures")] = 200
    side: Annotated[int, Field(ge=16, description="pixels along each side")] = 32
    noise: Annotated[
        float, Field(ge=0, allow_inf_nan=False, description="standard deviation in each pixel")
    ] = 0.2

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All pictures, drawn from rng."""
        drawn = [self._picture(rng) for _ in range(self.samples)]
        inputs = np.stack([picture for picture, _ in drawn])[..., None]
        label = np.stack([label for _, label in drawn])
        rows = one_hot_rows(label.ravel(), len(CLASSES)).reshape(*label.shape, len(CLASSES))
        return Data(inputs, rows, CLASSES, digest=array_digest(inputs, rows))

    def _picture(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Brightness and class of each pixel, both (side, side)."""
        place = np.arange(self.side)
        row, column = place[:, None], place
        angle, phase = rng.uniform(0, 2 * math.pi, 2)
        wave = (math.cos(angle) * row + math.sin(angle) * column) * (2 * math.pi / 6)
        picture = TEXTURE * np.sin(wave + phase)
        label = np.zeros((self.side, self.side), np.int64)
        for _ in range(rng.integers(1, MOST_SHAPES + 1)):
            kind, radius = rng.integers(1, 3), rng.uniform(0.15, 0.28) * self.side
            down, right = rng.uniform(radius, self.side - 1 - radius, 2)
            if kind == 1:
                inside = (row - down) ** 2 + (column - right) ** 2 <= radius**2
            else:
                inside = np.maximum(abs(row - down), abs(column - right)) <= radius
            picture = np.where(inside, rng.uniform(0.8, 1.2), picture)
            label = np.where(inside, kind, label)
        return picture + self.noise * rng.standard_normal(picture.shape), label

    @classmethod
    def example(cls) -> Example:
        """Eight pictures of 32 × 32 pixels."""
        return Example(cls(samples=8), value=(8, 32, 32, 1))
