"""Parabolic convolution: a nonlinear heat equation whose diffusion is learnt.

dx/dt = f(x, u) = −Kᵀ σ(K x + b)

symbol   code                     shape                          meaning
x        x                        (samples, *grid, channels)     pictures
K, b     u["K"] or u["beta"], …   see `double_layer`             controls

For monotone σ the distance of two solutions with the same controls never grows:

    ½ d/dt ‖x − y‖² = −⟨σ(K x + b) − σ(K y + b), K (x − y)⟩ ≤ 0

f is minus the gradient of a convex function, with the Lipschitz constant ρ = max σ' ‖K‖², so that a
step of forward Euler has this too where h ≤ 2/ρ. L. Ruthotto and E. Haber, Deep neural networks
motivated by partial differential equations, J. Math. Imaging Vis. 62 (2020).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from occore import Array, Controls, Example, Linearization
from occore_convolution.convolution_field import ConvolutionField
from occore_convolution.double_layer import DoubleLayer


@dataclass(frozen=True)
class ParabolicConvolution(ConvolutionField):
    """−Kᵀ σ(K x + b); stable for the steps that `spectrum` allows."""

    @property
    def layers(self) -> tuple[DoubleLayer, ...]:
        """One."""
        return (self.layer(self.state_shape),)

    def bounds(self, u: Controls) -> tuple[float, float]:
        """f_x = −Kᵀ σ' K is symmetric: eigenvalues from −max σ' ‖K‖² to 0."""
        return self.layers[0].steepness(u), 0.0

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """The rate of change of x."""
        return self.layers[0](x, u)

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative."""
        return self.layers[0].linearize(x, u)

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
