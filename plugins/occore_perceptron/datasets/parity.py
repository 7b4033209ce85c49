"""Parity: whether the number of ones among n bits is odd; of two bits it is XOR.

Every pattern has neighbours of the other answer only, one bit away, so that no single input tells
anything. Rumelhart, Hinton and Williams, Learning internal representations by error propagation,
in: Parallel Distributed Processing 1 (1986), chapter 8, solve it with n hidden units.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Data, Dataset, Example
from occore_perceptron.datasets.patterns import Patterns, all_bits, patterns


@dataclass(frozen=True)
class Parity(Dataset):
    """Inputs (2^bits, bits), targets (2^bits, 1)."""

    bits: Annotated[int, Field(gt=0, le=16, description="inputs")] = 4

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All patterns; nothing is random."""
        return parity(self.bits)

    @classmethod
    def example(cls) -> Example:
        """16 vectors of four bits."""
        return Example(cls(), value=(16, 4))


def parity(bits: int) -> Patterns:
    """All patterns of so many bits, and whether their ones are odd in number."""
    x = all_bits(bits)
    return patterns(x, x.sum(axis=1, keepdims=True) % 2)
