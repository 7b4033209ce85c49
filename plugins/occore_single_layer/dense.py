"""Dense layer: an affine map of the state and an activation.

f(x, u) = σ(s),    s = K x + b

symbol   code            shape                          meaning
x        x               (samples, n)                   state; as data also a sparse matrix
K, b     u["K"], u["b"]  (width, n), (width,)           controls; b where `bias` is true
s        s               (samples, width)               argument of the activation σ
p        py, px, pu      like y, x, u                   adjoint; a leading d marks a tangent

Derivatives, ∘ entry by entry:  dy = σ'(s) ∘ ds with ds = K dx + dK x + db;  q = σ'(s) ∘ py,
px = Kᵀ q, pK = q xᵀ, pb = q;  of these along (dx, du):  dq = σ''(s) ∘ ds ∘ py,
dpx = Kᵀ dq + dKᵀ q, dpK = dq xᵀ + q dxᵀ, dpb = dq.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import (
    Activation,
    ActivationName,
    Array,
    Controls,
    Dynamics,
    Example,
    Initialisation,
    InputError,
    Layout,
    Linearization,
    activation,
    array_namespace,
    initial_weights,
    matrix_product,
    transposed_product,
)


@dataclass(frozen=True)
class Dense(Dynamics):
    """σ(K x + b)."""

    state_shape: tuple[int, ...]
    width: Annotated[int, Field(gt=0, description="number of outputs")]
    activation: Annotated[ActivationName, Field(description="σ, entry by entry")] = "tanh"
    bias: Annotated[bool, Field(description="whether there is a b")] = True
    initialisation: Annotated[
        Initialisation, Field(description="how K is drawn at the start; b is zero then")
    ] = "glorot"

    autonomous = True

    def __post_init__(self) -> None:
        if len(self.state_shape) != 1:
            raise InputError(
                f"a dense layer takes vectors of features; its state has the shape "
                f'{self.state_shape}: put a phase of kind "flatten" before it'
            )

    @property
    def kinks(self) -> bool:
        """Where σ has kinks."""
        return not activation(self.activation).smooth

    @property
    def controls(self) -> Layout:
        """K (width, n) and b (width,)."""
        shapes: dict[str, tuple[int, ...]] = {"K": (self.width, *self.state_shape)}
        return Layout({**shapes, "b": (self.width,)} if self.bias else shapes)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(width,)."""
        return (self.width,)

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """K as `initialisation` says, b zero."""
        u = self.controls.zeros()
        width, n = u["K"].shape
        return u | {"K": initial_weights(self.initialisation, (width, n), n, width, rng)}

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """σ(K x + b) of each sample."""
        return activation(self.activation)(self._argument(x, u))

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative."""
        sigma, s = activation(self.activation), self._argument(x, u)
        y = sigma(s)
        return y, DenseLinearization(sigma, x, u["K"], s, y, sigma.slope(s, y), self.bias)

    def _argument(self, x: Array, u: Controls) -> Array:
        s = matrix_product(x, u["K"].T)
        return s + u["b"] if self.bias else s

    @classmethod
    def example(cls) -> Example:
        """tanh(0.5 + 0.5 + 0.5) and tanh(−1 − 0.25 − 0.25), by hand; away from kinks at s = 0."""
        return Example(
            cls(state_shape=(2,), width=2),
            x=[[0.5, 0.25]],
            u={"K": [[1.0, 2.0], [-2.0, -1.0]], "b": [0.5, -0.25]},
            value=[[math.tanh(1.5), math.tanh(-1.5)]],
        )


@dataclass(frozen=True)
class DenseLinearization(Linearization):
    """The derivative of σ(K x + b); see the head of the module."""

    sigma: Activation
    x: Array
    K: Array
    s: Array
    y: Array
    slope: Array
    bias: bool

    def jvp(self, dx: Array, du: Controls) -> Array:
        """σ'(s) ∘ (K dx + dK x + db)."""
        return self.slope * (dx @ self.K.T + self._argument(du))

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """px = Kᵀ q; pK = q xᵀ and pb = q, summed over the samples; q = σ'(s) ∘ py."""
        q = self.slope * py
        return q @ self.K, self._controls(q, self.x)

    def control_jvp(self, du: Controls) -> Array:
        """σ'(s) ∘ (dK x + db)."""
        return self.slope * self._argument(du)

    def control_vjp(self, py: Array) -> Controls:
        """Those of `vjp`."""
        return self._controls(self.slope * py, self.x)

    def second(
        self, py: Array, dp: Array, dx: Array, du: Controls
    ) -> tuple[Array, Array, Controls]:
        """px and its derivative, and that of pu, where py itself changes by dp."""
        q, dq = self.slope * py, self._dq(py, dp, dx @ self.K.T + self._argument(du))
        pu, dpu = self._controls(dq, self.x), self._controls(q, dx)
        total = {"K": pu["K"] + dpu["K"]} | ({"b": pu["b"]} if self.bias else {})
        return q @ self.K, dq @ self.K + q @ du["K"], total

    def control_second(self, py: Array, dp: Array, du: Controls) -> Controls:
        """The last of `second` for dx = 0."""
        return self._controls(self._dq(py, dp, self._argument(du)), self.x)

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """The derivatives of px and pu along (dx, du) for a fixed py."""
        _, dpx, dpu = self.second(py, 0 * py, dx, du)
        return dpx, dpu

    def _dq(self, py: Array, dp: Array, ds: Array) -> Array:
        return self.slope * dp + self.sigma.bend(self.s, self.y) * ds * py

    def _argument(self, du: Controls) -> Array:
        ds = matrix_product(self.x, du["K"].T)
        return ds + du["b"] if self.bias else ds

    def _controls(self, q: Array, x: Array) -> Controls:
        K = transposed_product(q, x)
        return {"K": K, "b": array_namespace(q).sum(q, axis=0)} if self.bias else {"K": K}
