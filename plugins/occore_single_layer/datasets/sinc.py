"""Sinc: sin x / x from noisy samples, tested on clean ones.

    y = sin x / x + ε,    x ~ U(−10, 10),    ε ~ U(−a, a) in training, none in the test

symbol   code           shape
x        Data.inputs    (samples, 1)
y        Data.targets   (samples, 1)
a        noise          option

Huang, Zhu and Siew, Extreme learning machine: theory and applications, Neurocomputing 70 (2006).
The test samples are held out by the data themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Array, Data, Dataset, Example
from occore_least_squares.datasets.content import array_digest

HALF_WIDTH = 10.0


def sinc(x: Array) -> Array:
    """sin x / x, and 1 at 0; x in radians."""
    return np.sinc(x / np.pi)


@dataclass(frozen=True)
class Sinc(Dataset):
    """Regression: inputs (samples, 1), targets (samples, 1), with clean held-out samples."""

    samples: Annotated[int, Field(gt=0, description="for training, with noise")] = 5000
    test_samples: Annotated[int, Field(gt=0, description="held out, without noise")] = 5000
    noise: Annotated[
        float, Field(ge=0, allow_inf_nan=False, description="a: ε is uniform between −a and a")
    ] = 0.2

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """Training samples, and the test samples as their `held_out`; drawn from rng."""
        x = rng.uniform(-HALF_WIDTH, HALF_WIDTH, (self.samples, 1))
        y = sinc(x) + rng.uniform(-self.noise, self.noise, x.shape)
        x_test = rng.uniform(-HALF_WIDTH, HALF_WIDTH, (self.test_samples, 1))
        test = Data(x_test, sinc(x_test), features=("x",))
        digest = array_digest(x, y, test.inputs, test.targets)
        return replace(test, inputs=x, targets=y, digest=digest, held_out=test)

    @classmethod
    def example(cls) -> Example:
        """5000 numbers, as in the paper."""
        return Example(cls(), value=(5000, 1))
