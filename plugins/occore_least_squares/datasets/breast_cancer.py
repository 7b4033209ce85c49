"""Breast cancer: malignant or benign, from features of cell nuclei in an image.

569 patients; Wolberg, Mangasarian, Street and Street, Breast Cancer Wisconsin (Diagnostic), UCI
Machine Learning Repository (1993). The features differ by orders of magnitude in size: use
`standardize = true`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from occore import Data, Dataset, Example
from occore_least_squares.datasets.bundled import classification


@dataclass(frozen=True)
class BreastCancer(Dataset):
    """Classification: inputs (569, 30) as measured, one-hot targets (569, 2)."""

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All samples, in scikit-learn's order. Raises MissingExtra."""
        return classification("breast_cancer")

    @classmethod
    def example(cls) -> Example:
        """569 samples of 30 features, as the repository says."""
        return Example(cls(), value=(569, 30))
