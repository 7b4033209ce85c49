"""The parabolic field: a nonlinear heat equation whose diffusion is learnt.

dx/dt = f(x, u) = −Kᵀ σ(K x + b)

symbol   code                     shape                          meaning
x        x                        (samples, *shape)              state: a picture, or a vector
K, b     u["K"] or u["beta"], …   see `double_layer`             controls

For monotone σ the distance of two solutions with the same controls never grows:

    ½ d/dt ‖x − y‖² = −⟨σ(K x + b) − σ(K y + b), K (x − y)⟩ ≤ 0

f is minus the gradient of a convex function, with the Lipschitz constant ρ = max σ' ‖K‖², so that a
step of forward Euler has this too where h ≤ 2/ρ. L. Ruthotto and E. Haber, Deep neural networks
motivated by partial differential equations, J. Math. Imaging Vis. 62 (2020).
"""

from __future__ import annotations

from occore import Array, Controls, Linearization
from occore_convolution.double_layer import DoubleLayer
from occore_convolution.double_layer_field import DoubleLayerField


class Parabolic(DoubleLayerField):
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
