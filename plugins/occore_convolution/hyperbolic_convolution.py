"""Hyperbolic convolution: a nonlinear wave equation whose speed is learnt.

d²q/dt² = −Kᵀ σ(K q + b),    as a system dq/dt = v, dv/dt = −Kᵀ σ(K q + b)

symbol   code                     shape                              meaning
q, v     x[:, 0], x[:, 1]         (samples, *grid, channels), both   pictures, their velocities
K, b     u["K"] or u["beta"], …   see `double_layer`                 controls

With σ = φ' and controls constant in time the energy ½‖v‖² + Σ φ(K q + b) is kept; `leapfrog` and
`verlet` are reversible and nearly keep it, for h √(max σ') ‖K‖ ≤ 2. L. Ruthotto and E. Haber, Deep
neural networks motivated by partial differential equations, J. Math. Imaging Vis. 62 (2020).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from occore import Array, Controls, Example, Linearization
from occore_convolution.convolution_field import ConvolutionField
from occore_convolution.double_layer import DoubleLayer
from occore_convolution.separable import (
    IDENTITY,
    SeparableLinearization,
    half_shape,
    halves,
    joined,
)


@dataclass(frozen=True)
class HyperbolicConvolution(ConvolutionField):
    """(v, −Kᵀ σ(K q + b)) of a state (2, *grid, channels)."""

    @property
    def layers(self) -> tuple[DoubleLayer, ...]:
        """The force."""
        return (self.layer(half_shape(self.state_shape)),)

    def bounds(self, u: Controls) -> tuple[float, float]:
        """The squares of the eigenvalues of f_x are those of −Kᵀ σ' K."""
        return 0.0, math.sqrt(self.layers[0].steepness(u))

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """The rates of change of q and v."""
        q, v = halves(x)
        return joined(v, self.layers[0](q, u))

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative."""
        q, v = halves(x)
        force, part = self.layers[0].linearize(q, u)
        return joined(v, force), SeparableLinearization(IDENTITY, part)

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
