"""The ill-conditioned model problem of the course: three equations with two unknowns.

    A = [[1, 1 + a], [1, 1 + 2a], [1, 1 + 3a]],    x = (1, 1.2),    b = A x + ε,    ε ~ N(0, σ² I)

The columns of A become parallel as a falls: condition number 13, 2.5e2 and 2.4e5 for
a = 1, 1e-2 and 1e-5.
(The course writes N(0, σI) while its error analysis has the variance σ²; σ is the deviation here.)

    symbol    code                  shape     meaning
    A         Data.inputs           (3, 2)    one equation a row
    b         Data.targets          (3, 1)    right-hand side with noise
    x         SOLUTION              (2,)      what the noise hides
    a, σ      a, noise                        options
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Data, Dataset, Example
from occore_least_squares.datasets.content import array_digest

SOLUTION = (1.0, 1.2)


@dataclass(frozen=True)
class IllConditioned(Dataset):
    """b = A x + ε with nearly parallel columns; to be fitted by a linear map without bias."""

    a: Annotated[
        float,
        Field(gt=0, allow_inf_nan=False, description="slope of the second column; small is ill"),
    ] = 1.0
    noise: Annotated[
        float,
        Field(ge=0, allow_inf_nan=False, description="standard deviation σ of each entry of ε"),
    ] = 0.1

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """The rows of A (3, 2) and b (3, 1); ε is drawn from rng."""
        A = 1 + self.a * np.array([[0, 1], [0, 2], [0, 3]])
        b = A @ SOLUTION + self.noise * rng.standard_normal(3)
        return Data(A, b[:, None], digest=array_digest(A, b))

    @classmethod
    def example(cls) -> Example:
        """Three equations with two unknowns."""
        return Example(cls(), value=(3, 2))
