"""Hamiltonian convolution: the Hamiltonian field on pictures, with convolutions for K₁ and K₂."""

from __future__ import annotations

import math
from dataclasses import dataclass

from occore import Example
from occore_convolution.convolution_field import ConvolutionField
from occore_convolution.hamiltonian import Hamiltonian


@dataclass(frozen=True)
class HamiltonianConvolution(Hamiltonian, ConvolutionField):
    """(K₁ᵀ σ(K₁ z + b₁), −K₂ᵀ σ(K₂ y + b₂)) of a state (2, *grid, channels)."""

    @classmethod
    def example(cls) -> Example:
        """Two cells, K₁ = (½, 1, ½), K₂ = (0, 1, ½), zero outside, by hand; away from s = 0.

        K₁ z + b₁ = (−1 + ⅛ − ½, −½ + ¼ − ½), K₂ y + b₂ = (1 + ¼ + ½, ½ + ½).
        """
        a, b = [math.tanh(s) for s in (-1.375, -0.75)], [math.tanh(s) for s in (1.75, 1.0)]
        return Example(
            cls(state_shape=(2, 2, 1)),
            x=[[[[1.0], [0.5]], [[-1.0], [0.25]]]],
            u={
                "K1": [[[0.5]], [[1.0]], [[0.5]]],
                "b1": [-0.5],
                "K2": [[[0.0]], [[1.0]], [[0.5]]],
                "b2": [0.5],
            },
            value=[[[[a[0] + a[1] / 2], [a[0] / 2 + a[1]]], [[-b[0]], [-(b[0] / 2 + b[1])]]]],
        )
