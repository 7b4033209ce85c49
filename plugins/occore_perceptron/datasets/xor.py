"""XOR: whether exactly one of two bits is one, the smallest problem that needs a hidden layer.

Rumelhart, Hinton and Williams, in: Parallel Distributed Processing 1 (1986), chapter 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from occore import Data, Dataset, Example
from occore_perceptron.datasets.parity import parity


@dataclass(frozen=True)
class XOR(Dataset):
    """Inputs (4, 2), targets (4, 1)."""

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All patterns; nothing is random."""
        return parity(2)

    @classmethod
    def example(cls) -> Example:
        """Four vectors of two bits."""
        return Example(cls(), value=(4, 2))
