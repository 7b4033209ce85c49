"""Digits: handwritten digits of 8 × 8 pixels.

1797 images, the test part of Alpaydin and Kaynak, Optical recognition of handwritten digits, UCI
Machine Learning Repository (1998). A pixel counts the ink in a block of 4 × 4, 0 to 16.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Data, Dataset, Example
from occore_least_squares.datasets.bundled import Classes, classification


@dataclass(frozen=True)
class Digits(Dataset):
    """Classification: inputs (1797, 64) in [0, 1], one-hot targets (1797, 10)."""

    classes: Classes = None
    flatten: Annotated[
        bool, Field(description="rows of 64 pixels; otherwise images of 8 × 8 pixels")
    ] = True

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All samples, in scikit-learn's order. Raises MissingExtra, DataError."""
        data = classification("digits", self.classes)
        data = replace(data, inputs=data.inputs / 16)
        if self.flatten:
            return replace(data, picture=(8, 8))
        return replace(data, inputs=data.inputs.reshape(-1, 8, 8), features=None)

    @classmethod
    def example(cls) -> Example:
        """1797 images of 64 pixels, as the repository says."""
        return Example(cls(), value=(1797, 64))
