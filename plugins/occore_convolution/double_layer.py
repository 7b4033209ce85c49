"""A linear map, an activation, and the transposed map: the forces of the PDE layers.

F(x, u) = ± Kᵀ σ(s),    s = K x + b,    K a convolution, or another map that is linear in x and K

symbol   code            shape                          meaning
x        x               (samples, *grid, channels)     pictures
K        u["K"]          (*stencil, channels, width)    stencil; or by `parametrisation`
β        u["beta"]       (3, …, 3, channels, width)     its coefficients as a differential operator;
                         (5, channels, width)           those of 1, ∂x, ∂xx, ∂y, ∂yy alone ("axial")
b        u["b"]          (width,)                       control where `bias` is true
s        s               (samples, *cells, width)       argument of the activation σ
z        z               like s                         σ(s)
p        py, px, pu      like F, x, u                   adjoint; a leading d marks a tangent

Products, for the upper sign, with grad the transpose of K x in K (`occore_convolution.operator`):

    dF = dKᵀ z + Kᵀ dz,    dz = σ'(s) ∘ ds,    ds = K dx + dK x + db
    w = K py,    q = σ'(s) ∘ w,    px = Kᵀ q,    pK = grad(x, q) + grad(py, z),    pb = Σ q

and along (dx, du), with py changing by dp,

    dw = K dp + dK py,    dq = σ'(s) ∘ dw + σ''(s) ∘ ds ∘ w
    dpx = Kᵀ dq + dKᵀ q,    dpb = Σ dq
    dpK = grad(x, dq) + grad(dx, q) + grad(py, dz) + grad(dp, z)

For σ' ≥ 0 the Jacobian −Kᵀ σ' K of the lower sign is symmetric and negative semidefinite.
L. Ruthotto and E. Haber, Deep neural networks motivated by partial differential equations, J. Math.
Imaging Vis. 62 (2020): the symmetric layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from occore import (
    Activation,
    Array,
    Controls,
    Initialisation,
    JointSecond,
    Layout,
)
from occore_convolution.differential_operators import (
    POINTS,
    along_axes,
    axial_adjoint,
    axial_coefficients_of,
    axial_stencil_of,
    basis,
    coefficients_of,
)
from occore_convolution.sums import over_samples_and_cells

Parametrisation = Literal["stencil", "differential", "axial"]
"""What the control is: the stencil itself, coefficients of all differential operators of a stencil
of three points an axis, or of those along one axis at a time."""


class Operator(Protocol):
    """K: of the state x, and with its transposes in x and in the stencil or matrix K.

    `occore_convolution.operator` states what they must satisfy.
    """

    @property
    def grid(self) -> tuple[int, ...]:
        """Cells along each axis; none where x is a vector."""
        ...

    @property
    def stencil(self) -> tuple[int, ...]:
        """Taps along each axis."""
        ...

    @property
    def channels_out(self) -> int:
        """Length of b."""
        ...

    @property
    def stencil_shape(self) -> tuple[int, ...]:
        """Of K."""
        ...

    def initial_stencil(self, name: Initialisation, rng: np.random.Generator) -> Array:
        """K at the start."""
        ...

    def forward(self, x: Array, K: Array) -> Array:
        """K x."""
        ...

    def adjoint(self, p: Array, K: Array) -> Array:
        """Kᵀ p."""
        ...

    def stencil_gradient(self, x: Array, p: Array) -> Array:
        """The transpose of K x in K."""
        ...

    def norm_bound(self, K: Array) -> float:
        """A bound of ‖K‖."""
        ...


@dataclass(frozen=True)
class DoubleLayer:
    """sign Kᵀ σ(K x + b); `suffix` ends the names of its controls."""

    operator: Operator
    sigma: Activation
    bias: bool = True
    parametrisation: Parametrisation = "stencil"
    mesh_size: float = 1.0
    sign: float = -1.0
    suffix: str = ""

    @property
    def stencil_name(self) -> str:
        """The name of the control that determines the stencil."""
        return ("K" if self.parametrisation == "stencil" else "beta") + self.suffix

    @property
    def bias_name(self) -> str:
        """The name of the bias."""
        return "b" + self.suffix

    @property
    def controls(self) -> Layout:
        """Stencil or coefficients, and bias."""
        shape = self.operator.stencil_shape
        if self.parametrisation == "axial":
            shape = (1 + (POINTS - 1) * len(self.axes), *shape[len(self.axes) :])
        shapes = {self.stencil_name: shape}
        if self.bias:
            shapes[self.bias_name] = (self.operator.channels_out,)
        return Layout(shapes)

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes of the grid in a stencil."""
        return tuple(range(len(self.operator.grid)))

    def stencil(self, u: Controls) -> Array:
        """K of the controls, linear in them."""
        control = u[self.stencil_name]
        if self.parametrisation == "stencil":
            return control
        if self.parametrisation == "axial":
            return axial_stencil_of(control, self.mesh_size, len(self.axes))
        return along_axes(basis(self.mesh_size), control, self.axes)

    def folded(self, pK: Array) -> Array:
        """The adjoint of `stencil`."""
        if self.parametrisation == "stencil":
            return pK
        if self.parametrisation == "axial":
            return axial_adjoint(pK, self.mesh_size, len(self.axes))
        return along_axes(basis(self.mesh_size).T, pK, self.axes)

    def coefficients(self, K: Array) -> Array:
        """The control whose stencil is K, or has the taps of K on the axes where it has no more."""
        if self.parametrisation == "stencil":
            return K
        if self.parametrisation == "axial":
            return axial_coefficients_of(K, self.mesh_size, len(self.axes))
        return coefficients_of(K, self.mesh_size, self.axes)

    def biased(self, s: Array, u: Controls) -> Array:
        """s + b, where there is a b."""
        return s + u[self.bias_name] if self.bias else s

    def steepness(self, u: Controls) -> float:
        """A bound of the norm of F_x in any state: max σ' ‖K‖². For σ that never decrease."""
        assert self.sigma.steepest is not None  # noqa: S101 - who asks knows
        return self.sigma.steepest * self.operator.norm_bound(self.stencil(u)) ** 2

    def __call__(self, x: Array, u: Controls) -> Array:
        """F, like x."""
        K = self.stencil(u)
        z = self.sigma(self.biased(self.operator.forward(x, K), u))
        return self.sign * self.operator.adjoint(z, K)

    def linearize(self, x: Array, u: Controls) -> tuple[Array, DoubleLayerLinearization]:
        """F and its derivative."""
        K = self.stencil(u)
        s = self.biased(self.operator.forward(x, K), u)
        z = self.sigma(s)
        part = DoubleLayerLinearization(self, x, K, s, z, self.sigma.slope(s, z))
        return self.sign * self.operator.adjoint(z, K), part


@dataclass(frozen=True)
class DoubleLayerLinearization(JointSecond):
    """The derivative of F; see the head of the module."""

    layer: DoubleLayer
    x: Array
    K: Array
    s: Array
    z: Array
    slope: Array

    def jvp(self, dx: Array, du: Controls) -> Array:
        """± (dKᵀ z + Kᵀ dz)."""
        layer, dK = self.layer, self.layer.stencil(du)
        dz = self.slope * self._ds(dx, dK, du)
        operator = layer.operator
        return layer.sign * (operator.adjoint(self.z, dK) + operator.adjoint(dz, self.K))

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """px = ± Kᵀ q, pK = ± (grad(x, q) + grad(py, z)), pb = ± Σ q."""
        operator, p = self.layer.operator, self.layer.sign * py
        q = self.slope * operator.forward(p, self.K)
        pK = operator.stencil_gradient(self.x, q) + operator.stencil_gradient(p, self.z)
        return operator.adjoint(q, self.K), self._controls(pK, q)

    def second(
        self, py: Array, dp: Array, dx: Array, du: Controls
    ) -> tuple[Array, Array, Controls]:
        """px and its derivative, and that of pu, where py itself changes by dp."""
        operator, K, dK = self.layer.operator, self.K, self.layer.stencil(du)
        p, dp = self.layer.sign * py, self.layer.sign * dp
        ds = self._ds(dx, dK, du)
        w, dw = operator.forward(p, K), operator.forward(dp, K) + operator.forward(p, dK)
        q = self.slope * w
        dq = self.slope * dw + self.layer.sigma.bend(self.s, self.z) * ds * w
        gradient = operator.stencil_gradient
        first = gradient(self.x, dq) + gradient(dx, q)
        dpK = first + gradient(p, self.slope * ds) + gradient(dp, self.z)
        dpx = operator.adjoint(dq, K) + operator.adjoint(q, dK)
        return operator.adjoint(q, K), dpx, self._controls(dpK, dq)

    def _ds(self, dx: Array, dK: Array, du: Controls) -> Array:
        operator = self.layer.operator
        return self.layer.biased(operator.forward(dx, self.K) + operator.forward(self.x, dK), du)

    def _controls(self, pK: Array, q: Array) -> Controls:
        layer = self.layer
        result = {layer.stencil_name: layer.folded(pK)}
        if layer.bias:
            result[layer.bias_name] = over_samples_and_cells(q)
        return result
