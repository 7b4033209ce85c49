"""Swiss roll: two spirals of two turns, one around the other, without noise.

    (x, y) = r (cos φ, sin φ),    φ = 4π s,    r = s for one class and 0.2 + s for the other

with s in equal steps from 0 to 1: radii grow over [0, 1] and [0.2, 1.2] while the angle goes from 0
to 4π. Nothing is drawn at random.

Source: Haber and Ruthotto, Stable architectures for deep neural networks, Inverse Problems 34
(2018), section 6.2; numbers as in the course, 256 points of each class.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Data, Dataset, Example
from occore_residual.datasets.plane import classified

TURNS, GAP = 2.0, 0.2


@dataclass(frozen=True)
class SwissRoll(Dataset):
    """Inputs (2 · points, 2), one-hot targets (2 · points, 2), the inner spiral first."""

    points: Annotated[int, Field(gt=1, description="points of each class")] = 256

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All points."""
        s = np.linspace(0.0, 1.0, self.points)
        angle = 2 * np.pi * TURNS * s
        along = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return classified([r[:, None] * along for r in (s, GAP + s)], ("inner", "outer"))

    @classmethod
    def example(cls) -> Example:
        """256 points of each class, in the plane."""
        return Example(cls(), value=(512, 2))
