"""Wine: the cultivar of a wine from a chemical analysis.

178 wines of three cultivars; Aeberhard and Forina, Wine, UCI Machine Learning Repository (1992).
The features differ by orders of magnitude in size: use `standardize = true`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from occore import Data, Dataset, Example
from occore_least_squares.datasets.bundled import Classes, classification


@dataclass(frozen=True)
class Wine(Dataset):
    """Classification: inputs (178, 13) as measured, one-hot targets (178, 3)."""

    classes: Classes = None

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All samples, in scikit-learn's order. Raises MissingExtra, DataError."""
        return classification("wine", self.classes)

    @classmethod
    def example(cls) -> Example:
        """178 samples of 13 features, as the repository says."""
        return Example(cls(), value=(178, 13))
