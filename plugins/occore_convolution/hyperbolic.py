"""The hyperbolic field: a nonlinear wave equation whose speed is learnt.

d²q/dt² = −Kᵀ σ(K q + b),    as a system dq/dt = v, dv/dt = −Kᵀ σ(K q + b)

symbol   code                     shape                     meaning
q, v     x[:, 0], x[:, 1]         (samples, *shape), both   state: pictures or vectors, velocities
K, b     u["K"] or u["beta"], …   see `double_layer`        controls

With σ = φ' and controls constant in time the energy ½‖v‖² + Σ φ(K q + b) is kept; `leapfrog` and
`verlet` are reversible and nearly keep it, for h √(max σ') ‖K‖ ≤ 2. L. Ruthotto and E. Haber, Deep
neural networks motivated by partial differential equations, J. Math. Imaging Vis. 62 (2020).
"""

from __future__ import annotations

import math

from occore import Array, Controls, Linearization
from occore_convolution.double_layer import DoubleLayer
from occore_convolution.double_layer_field import DoubleLayerField
from occore_convolution.separable import (
    IDENTITY,
    SeparableLinearization,
    half_shape,
    halves,
    joined,
)


class Hyperbolic(DoubleLayerField):
    """(v, −Kᵀ σ(K q + b)) of a state (2, *shape)."""

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
