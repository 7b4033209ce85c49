"""Inverse crime: data made by the very model that is to be fitted, so that J = 0 can be reached.

    c = W σ(K y + b),    y_i, b_i, W_ij ~ N(0, 1),    K_ij ~ N(0, 1/n_f)

symbol   code                            shape            default
y        Data.inputs                     (n, n_f)         n = 500, n_f = 50
c        Data.targets                    (n, n_c)         n_c = 10
K, b     InverseCrime().draw(rng)[1]     (m, n_f), (m,)   m = 40
W        InverseCrime().draw(rng)[2]     (n_c, m)

Fitted with the same width and activation, and no bias of the output, such data have a zero
residual; they say nothing of how a model does on data that it did not make.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import ActivationName, Array, Controls, Data, Dataset, Example
from occore_least_squares.datasets.content import array_digest
from occore_single_layer.dense import Dense

Count = Annotated[int, Field(gt=0)]


@dataclass(frozen=True)
class InverseCrime(Dataset):
    """Regression: inputs (samples, inputs), targets (samples, outputs)."""

    samples: Annotated[Count, Field(description="n")] = 500
    inputs: Annotated[Count, Field(description="n_f, features of a sample")] = 50
    outputs: Annotated[Count, Field(description="n_c, entries of a target")] = 10
    width: Annotated[Count, Field(description="m, nodes of the hidden layer")] = 40
    activation: Annotated[ActivationName, Field(description="σ of the hidden layer")] = "tanh"

    def draw(self, rng: np.random.Generator) -> tuple[Array, Controls, Array]:
        """y, the controls K and b of the hidden layer, and W."""
        y = rng.standard_normal((self.samples, self.inputs))
        K = rng.standard_normal((self.width, self.inputs)) / math.sqrt(self.inputs)
        b = rng.standard_normal(self.width)
        return y, {"K": K, "b": b}, rng.standard_normal((self.outputs, self.width))

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """The samples, drawn from rng as `draw` does."""
        y, u, W = self.draw(rng)
        c = Dense((self.inputs,), self.width, self.activation)(0.0, y, u) @ W.T
        return Data(y, c, digest=array_digest(y, c))

    @classmethod
    def example(cls) -> Example:
        """500 samples of 50 features, as in the course."""
        return Example(cls(), value=(500, 50))
