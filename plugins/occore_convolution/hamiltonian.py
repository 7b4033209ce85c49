"""The Hamiltonian field: two states that push each other, with a Hamiltonian that is learnt.

dy/dt = K₁ᵀ σ(K₁ z + b₁),    dz/dt = −K₂ᵀ σ(K₂ y + b₂)

symbol     code                       shape                     meaning
y, z       x[:, 0], x[:, 1]           (samples, *shape), both   a pair of pictures or vectors
K₁, b₁     u["K1"] or u["beta1"], …   see `double_layer`        controls
K₂, b₂     u["K2"] or u["beta2"], …   likewise

With σ = φ' and controls constant in time H = Σ φ(K₁ z + b₁) + Σ φ(K₂ y + b₂) is kept. The system is
separable, so `leapfrog` and `verlet` are explicit and reversible: layers need not be stored.
B. Chang, L. Meng, E. Haber, L. Ruthotto, D. Begert and E. Holtham, Reversible architectures for
arbitrarily deep residual neural networks, AAAI (2018); L. Ruthotto and E. Haber, Deep neural
networks motivated by partial differential equations, J. Math. Imaging Vis. 62 (2020).
"""

from __future__ import annotations

import math

from occore import Array, Controls, Linearization
from occore_convolution.double_layer import DoubleLayer
from occore_convolution.double_layer_field import DoubleLayerField
from occore_convolution.separable import SeparableLinearization, half_shape, halves, joined


class Hamiltonian(DoubleLayerField):
    """(K₁ᵀ σ(K₁ z + b₁), −K₂ᵀ σ(K₂ y + b₂)) of a state (2, *shape)."""

    @property
    def layers(self) -> tuple[DoubleLayer, ...]:
        """The forces on y and on z."""
        shape = half_shape(self.state_shape)
        return self.layer(shape, 1.0, "1"), self.layer(shape, -1.0, "2")

    def bounds(self, u: Controls) -> tuple[float, float]:
        """The squares of the eigenvalues of f_x are those of −(K₁ᵀ σ' K₁)(K₂ᵀ σ' K₂)."""
        on_y, on_z = self.layers
        return 0.0, math.sqrt(on_y.steepness(u) * on_z.steepness(u))

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """The rates of change of y and z."""
        (y, z), (on_y, on_z) = halves(x), self.layers
        return joined(on_y(z, u), on_z(y, u))

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative."""
        (y, z), (on_y, on_z) = halves(x), self.layers
        (dy, part_y), (dz, part_z) = on_y.linearize(z, u), on_z.linearize(y, u)
        return joined(dy, dz), SeparableLinearization(part_y, part_z)
