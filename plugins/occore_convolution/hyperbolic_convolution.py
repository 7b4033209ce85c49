"""Hyperbolic convolution: the hyperbolic field on pictures, with a convolution for K."""

from __future__ import annotations

import math
from dataclasses import dataclass

from occore import Example
from occore_convolution.convolution_field import ConvolutionField
from occore_convolution.hyperbolic import Hyperbolic


@dataclass(frozen=True)
class HyperbolicConvolution(Hyperbolic, ConvolutionField):
    """(v, −Kᵀ σ(K q + b)) of a state (2, *grid, channels)."""

    @classmethod
    def example(cls) -> Example:
        """Two cells, K = (½, 1, ½), zero outside, by hand; away from kinks at s = 0.

        K q + b = (1 + ½·0.5 + 0.25, ½ + 0.5 + 0.25).
        """
        z = [math.tanh(s) for s in (1.5, 1.25)]
        return Example(
            cls(state_shape=(2, 2, 1)),
            x=[[[[1.0], [0.5]], [[-0.75], [0.25]]]],
            u={"K": [[[0.5]], [[1.0]], [[0.5]]], "b": [0.25]},
            value=[[[[-0.75], [0.25]], [[-(z[0] + z[1] / 2)], [-(z[0] / 2 + z[1])]]]],
        )
