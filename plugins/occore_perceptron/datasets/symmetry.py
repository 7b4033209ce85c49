"""Mirror symmetry: whether a vector of bits is its own mirror image.

Of six bits there are 64 vectors, 8 of them symmetric. Two hidden units do, with weights that are
opposite about the centre and in the ratio 1 : 2 : 4, so that all 8 sums of one half differ.
Rumelhart, Hinton and Williams, Nature 323 (1986), 533–536, figure 1.
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
class Symmetry(Dataset):
    """Inputs (2^bits, bits), targets (2^bits, 1)."""

    bits: Annotated[int, Field(gt=1, le=16, description="inputs")] = 6

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All patterns; nothing is random."""
        x = all_bits(self.bits)
        return patterns(x, np.all(x == x[:, ::-1], axis=1, keepdims=True))

    @classmethod
    def example(cls) -> Example:
        """64 vectors of six bits."""
        return Example(cls(), value=(64, 6))
