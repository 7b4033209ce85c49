"""Hamiltonian dense field: two vectors that push each other through double layers."""

from __future__ import annotations

import math
from dataclasses import dataclass

from occore import Example
from occore_convolution.hamiltonian import Hamiltonian
from occore_residual.dense_field import DenseField


@dataclass(frozen=True)
class HamiltonianDense(Hamiltonian, DenseField):
    """(K₁ᵀ σ(K₁ z + b₁), −K₂ᵀ σ(K₂ y + b₂)) of a state (2, n), the double Hamiltonian network."""

    @classmethod
    def example(cls) -> Example:
        """K₁ z + b₁ = ½·1 − ¼·(−½) − ⅛ = ½ and K₂ y + b₂ = 1 + ½ + ¼, by hand."""
        a, b = math.tanh(0.5), math.tanh(1.75)
        return Example(
            cls(state_shape=(2, 2), width=1),
            x=[[[1.0, 0.5], [1.0, -0.5]]],
            u={"K1": [[0.5, -0.25]], "b1": [-0.125], "K2": [[1.0, 1.0]], "b2": [0.25]},
            value=[[[0.5 * a, -0.25 * a], [-b, -b]]],
        )
