"""Ellipses: a filled ellipse in a ring of the same shape; no line separates them.

    (x, y) = r (cos φ, 0.4 sin φ),    r uniform in [0, 1] inside, in [1, 2] outside,    φ uniform

Source: Haber and Ruthotto, Stable architectures for deep neural networks, Inverse Problems 34
(2018), section 6.1; numbers as in the course, 1,000 points of each class.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Data, Dataset, Example
from occore_residual.datasets.plane import classified

FLATTENING = 0.4


@dataclass(frozen=True)
class Ellipses(Dataset):
    """Inputs (2 · points, 2), one-hot targets (2 · points, 2), the inner ellipse first."""

    points: Annotated[int, Field(gt=0, description="points of each class")] = 1000

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All points."""
        drawn = []
        for inner in (0.0, 1.0):
            r, angle = inner + rng.uniform(size=self.points), rng.uniform(0, 2 * np.pi, self.points)
            drawn.append(np.stack([r * np.cos(angle), FLATTENING * r * np.sin(angle)], axis=1))
        return classified(drawn, ("inner", "outer"))

    @classmethod
    def example(cls) -> Example:
        """1,000 points of each class, in the plane."""
        return Example(cls(), value=(2000, 2))
