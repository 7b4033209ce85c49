"""Hyperbolic dense field: a network of second order in time, for `leapfrog` and `verlet`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from occore import Example
from occore_convolution.hyperbolic import Hyperbolic
from occore_residual.dense_field import DenseField


@dataclass(frozen=True)
class HyperbolicDense(Hyperbolic, DenseField):
    """(v, −Kᵀ σ(K q + b)) of a state (2, n), with a matrix K (width, n)."""

    @classmethod
    def example(cls) -> Example:
        """K q + b = (½·1 − ¼·2 + ½, 1·1 + ½·2 + ¼), by hand."""
        z = math.tanh(0.5), math.tanh(2.25)
        return Example(
            cls(state_shape=(2, 2)),
            x=[[[1.0, 2.0], [-0.75, 0.25]]],
            u={"K": [[0.5, -0.25], [1.0, 0.5]], "b": [0.5, 0.25]},
            value=[[[-0.75, 0.25], [-(0.5 * z[0] + z[1]), 0.25 * z[0] - 0.5 * z[1]]]],
        )
