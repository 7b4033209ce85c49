"""Two spirals: one is the other turned by half a turn, with noise; a classical hard problem.

    (x, y) = ± r (cos φ, sin φ) + noise,    φ = 2π turns √s,    r = √s,    s uniform in [0, 1]

The root makes the density of points the same along a spiral. Source: Lang and Witbrock, Learning to
tell two spirals apart, Connectionist Models Summer School (1988), with points at random.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Data, Dataset, Example
from occore_residual.datasets.plane import classified


@dataclass(frozen=True)
class TwoSpirals(Dataset):
    """Inputs (samples, 2), one-hot targets (samples, 2), half of the samples on each spiral."""

    samples: Annotated[int, Field(gt=0, multiple_of=2, description="points of both")] = 2000
    turns: Annotated[float, Field(gt=0, description="of each spiral")] = 1.75
    noise: Annotated[float, Field(ge=0, description="deviation in each coordinate")] = 0.02

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All points."""
        drawn = []
        for sign in (1.0, -1.0):
            root = np.sqrt(rng.uniform(size=self.samples // 2))
            angle = 2 * np.pi * self.turns * root
            spiral = sign * root[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
            drawn.append(spiral + self.noise * rng.standard_normal(spiral.shape))
        return classified(drawn, ("first", "second"))

    @classmethod
    def example(cls) -> Example:
        """1,000 points on each spiral, in the plane."""
        return Example(cls(), value=(2000, 2))
