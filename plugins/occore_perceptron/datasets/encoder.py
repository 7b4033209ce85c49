"""Encoder: N patterns with a single one each, to be given back through a narrow hidden layer.

An N-M-N network has to find a code of M units for N patterns, such as the 8 corners of a cube for
8-3-8. Ackley, Hinton and Sejnowski, Cognitive Science 9 (1985), 147–169; Rumelhart, Hinton and
Williams, in: Parallel Distributed Processing 1 (1986), chapter 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Data, Dataset, Example
from occore_perceptron.datasets.patterns import patterns


@dataclass(frozen=True)
class Encoder(Dataset):
    """Inputs and targets (size, size), both the unit vectors."""

    size: Annotated[int, Field(gt=1, le=1024, description="N, inputs and outputs")] = 8

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All patterns; nothing is random."""
        return patterns(np.eye(self.size), np.eye(self.size))

    @classmethod
    def example(cls) -> Example:
        """Eight unit vectors."""
        return Example(cls(), value=(8, 8))
