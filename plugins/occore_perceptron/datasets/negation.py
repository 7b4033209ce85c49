"""Negation: bits are given back, or their opposites where a further bit says so.

    answer = bits where the last input is 0, 1 − bits where it is 1

Rumelhart, Hinton and Williams, in: Parallel Distributed Processing 1 (1986), chapter 8, with three
bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Data, Dataset, Example
from occore_perceptron.datasets.patterns import all_bits, patterns


@dataclass(frozen=True)
class Negation(Dataset):
    """Inputs (2^(bits + 1), bits + 1), the last of which negates; targets (2^(bits + 1), bits)."""

    bits: Annotated[int, Field(gt=0, le=15, description="that are given back")] = 3

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All patterns; nothing is random."""
        x = all_bits(self.bits + 1)
        return patterns(x, x[:, :-1] != x[:, -1:])

    @classmethod
    def example(cls) -> Example:
        """16 vectors of four bits."""
        return Example(cls(), value=(16, 4))
