"""Diabetes: progression of the disease after a year from ten measurements.

442 patients; Efron, Hastie, Johnstone and Tibshirani, Least angle regression, Ann. Statist. 32
(2004). Inputs are centred and scaled by scikit-learn to ‖column‖ = 1; targets lie in 25 to 346.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from occore import Data, Dataset, Example
from occore_least_squares.datasets.bundled import bunch, feature_names
from occore_least_squares.datasets.content import array_digest


@dataclass(frozen=True)
class Diabetes(Dataset):
    """Regression: inputs (442, 10), targets (442, 1), both dimensionless."""

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All samples, in scikit-learn's order. Raises MissingExtra."""
        source = bunch("diabetes")
        return Data(
            source.data,
            source.target[:, None],
            features=feature_names(source),
            digest=array_digest(source.data, source.target),
        )

    @classmethod
    def example(cls) -> Example:
        """442 patients and 10 measurements, as the paper says."""
        return Example(cls(), value=(442, 10))
