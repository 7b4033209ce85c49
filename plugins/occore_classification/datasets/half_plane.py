"""Half plane: a cloud of points of which a line cuts off one class.

    label 1 where 3 y₁ + 2 y₂ + 1 > 0,    y ~ N(0, I)

The course's first example of classification. The classes are separable, so that the logistic loss
has no minimiser without a penalty.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Data, Dataset, Example
from occore_least_squares.datasets.content import array_digest
from occore_least_squares.datasets.supervised import one_hot_rows

NORMAL, OFFSET = (3.0, 2.0), 1.0


@dataclass(frozen=True)
class HalfPlane(Dataset):
    """Classification: inputs (samples, 2), one-hot targets (samples, 2)."""

    samples: Annotated[int, Field(gt=1, description="points of the cloud")] = 500

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All samples; the points are drawn from rng."""
        y = rng.standard_normal((self.samples, 2))
        label = (y @ NORMAL + OFFSET > 0).astype(np.int64)
        rows = one_hot_rows(label, 2)
        return Data(y, rows, ("below", "above"), ("y1", "y2"), array_digest(y, rows))

    @classmethod
    def example(cls) -> Example:
        """500 points of the plane, as in the course."""
        return Example(cls(), value=(500, 2))
