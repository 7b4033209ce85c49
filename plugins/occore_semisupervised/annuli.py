"""Annuli: concentric rings of points in the plane, one class each; no line separates them.

    x = r (cos φ, sin φ),    r uniform in [2c, 2c + 1] for class c = 0, 1, 2, …,    φ uniform

The course draws three: radii in [0, 1], [2, 3] and [4, 5].
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Data, Dataset, Example


@dataclass(frozen=True)
class Annuli(Dataset):
    """Inputs (classes · points, 2), one-hot targets (classes · points, classes), class by class."""

    points: Annotated[int, Field(gt=0, description="points of each class")] = 300
    classes: Annotated[int, Field(gt=1, description="number of rings")] = 3

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All points."""
        ring = np.repeat(np.arange(self.classes), self.points)
        radius = 2.0 * ring + rng.uniform(size=ring.size)
        angle = rng.uniform(0, 2 * np.pi, ring.size)
        return Data(
            radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1),
            np.eye(self.classes)[ring],
            tuple(str(k) for k in range(self.classes)),
            ("x", "y"),
            f"annuli: {self.classes} × {self.points}",
        )

    @classmethod
    def example(cls) -> Example:
        """3 · 300 points in the plane, by hand."""
        return Example(cls(), value=(900, 2))
