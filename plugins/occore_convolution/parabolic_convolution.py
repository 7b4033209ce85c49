"""Parabolic convolution: the parabolic field on pictures, with a convolution for K."""

from __future__ import annotations

import math
from dataclasses import dataclass

from occore import Example
from occore_convolution.convolution_field import ConvolutionField
from occore_convolution.parabolic import Parabolic


@dataclass(frozen=True)
class ParabolicConvolution(Parabolic, ConvolutionField):
    """−Kᵀ σ(K x + b); stable for the steps that `spectrum` allows."""

    @classmethod
    def example(cls) -> Example:
        """Two cells, K = (½, 1, 0), zero outside, by hand; away from kinks at s = 0.

        K x + b = (1 + 0.25, ½ + 0.5 + 0.25), and Kᵀ z = (z₁ + ½ z₂, z₂).
        """
        z = [math.tanh(s) for s in (1.25, 1.25)]
        return Example(
            cls(state_shape=(2, 1)),
            x=[[[1.0], [0.5]]],
            u={"K": [[[0.5]], [[1.0]], [[0.0]]], "b": [0.25]},
            value=[[[-(z[0] + z[1] / 2)], [-z[1]]]],
        )
