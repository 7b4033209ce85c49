"""Iris: the species of a flower from the size of its petals and sepals, in cm.

150 flowers of three species; Fisher, The use of multiple measurements in taxonomic problems,
Ann. Eugenics 7 (1936).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from occore import Data, Dataset, Example
from occore_least_squares.datasets.bundled import Classes, classification


@dataclass(frozen=True)
class Iris(Dataset):
    """Classification: inputs (150, 4) as measured, one-hot targets (150, 3)."""

    classes: Classes = None

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All samples, in scikit-learn's order. Raises MissingExtra, DataError."""
        return classification("iris", self.classes)

    @classmethod
    def example(cls) -> Example:
        """150 samples of 4 features, as the repository says."""
        return Example(cls(), value=(150, 4))
