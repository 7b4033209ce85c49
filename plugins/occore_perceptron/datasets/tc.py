"""T–C: a T or a C of five squares, in any of four orientations, anywhere on a square retina.

    T  ■ ■ ■      C  ■ ■
         ■           ■
         ■           ■ ■

Rumelhart, Hinton and Williams, in: Parallel Distributed Processing 1 (1986), chapter 8, give each
hidden unit a field of 3 × 3 squares and link the weights of all of them, which is a convolution.
How large their retina is we do not know: five squares by five is a choice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Data, Dataset, Example
from occore_perceptron.datasets.patterns import patterns

T = np.array([[1, 1, 1], [0, 1, 0], [0, 1, 0]])
C = np.array([[1, 1], [1, 0], [1, 1]])


@dataclass(frozen=True)
class TC(Dataset):
    """Inputs (samples, side²), targets (samples, 1): 0 for T, 1 for C; all that there are."""

    side: Annotated[int, Field(ge=3, le=32, description="squares along each side")] = 5

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """Each letter in each orientation at each place; nothing is random."""
        found = [
            (self._placed(shape, row, column), target)
            for target, letter in enumerate((T, C))
            for shape in (np.rot90(letter, turns) for turns in range(4))
            for row in range(self.side - shape.shape[0] + 1)
            for column in range(self.side - shape.shape[1] + 1)
        ]
        inputs = np.array([picture.ravel() for picture, _ in found])
        data = patterns(inputs, np.array([[target] for _, target in found]))
        return replace(data, picture=(self.side, self.side))

    def _placed(self, shape: np.ndarray, row: int, column: int) -> np.ndarray:
        picture = np.zeros((self.side, self.side))
        picture[row : row + shape.shape[0], column : column + shape.shape[1]] = shape
        return picture

    @classmethod
    def example(cls) -> Example:
        """T at 3 · 3 and C at 3 · 4 places, four times each: 36 + 48 pictures of 25 squares."""
        return Example(cls(), value=(84, 25))
