"""Peaks: the peaks function at random points of a grid, as a regression.

The function and the 256 × 256 grid of [−3, 3]² are those of Peaks-5 (`occore_classification`),
whose classes are its levels; here its value itself is fitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Data, Dataset, Example
from occore_classification.datasets.peaks5 import SIDE, peaks_grid
from occore_least_squares.datasets.content import array_digest


@dataclass(frozen=True)
class Peaks(Dataset):
    """Regression: inputs (samples, 2), targets (samples, 1); no point is drawn twice."""

    samples: Annotated[int, Field(gt=0, le=SIDE**2, description="points of the grid")] = 5000

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """The points that are drawn from rng, and p there."""
        points, p = peaks_grid()
        place = rng.choice(p.size, self.samples, replace=False)
        x, y = points[place], p[place, None]
        return Data(x, y, features=("x", "y"), digest=array_digest(x, y))

    @classmethod
    def example(cls) -> Example:
        """5000 points of the plane."""
        return Example(cls(), value=(5000, 2))
