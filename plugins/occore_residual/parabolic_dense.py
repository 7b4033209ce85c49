"""Parabolic dense field: the parabolic field on vectors, with a matrix for K."""

from __future__ import annotations

import math
from dataclasses import dataclass

from occore import Example
from occore_convolution.parabolic import Parabolic
from occore_residual.dense_field import DenseField


@dataclass(frozen=True)
class ParabolicDense(Parabolic, DenseField):
    """−Kᵀ σ(K x + b) with a matrix K (width, n); two states never move apart."""

    @classmethod
    def example(cls) -> Example:
        """K x + b = (½ − ½ + 0.1, 1 + 1 + 0.25), and Kᵀ z = (½ z₁ + z₂, −¼ z₁ + ½ z₂), by hand."""
        z = math.tanh(0.1), math.tanh(2.25)
        return Example(
            cls(state_shape=(2,)),
            x=[[1.0, 2.0]],
            u={"K": [[0.5, -0.25], [1.0, 0.5]], "b": [0.1, 0.25]},
            value=[[-(0.5 * z[0] + z[1]), 0.25 * z[0] - 0.5 * z[1]]],
        )
