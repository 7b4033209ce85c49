"""Convolution layer: a stencil on every cell of a picture or signal, and an activation.

f(x, u) = σ(s),    s = conv(x; K) + b

symbol   code            shape                                 meaning
x        x               (samples, *grid, channels_in)         pictures or signals, channels last
K        u["K"]          (*stencil, channels_in, channels)     stencil, applied as a correlation
b        u["b"]          (channels,)                           control where `bias` is true
s        s               (samples, *output grid, channels)     argument of the activation σ
p        py, px, pu      like y, x, u                          adjoint; a leading d marks a tangent

Derivatives are those of `occore_single_layer.activated`, with conv and its transposes convᵀ in x
and grad in K (`occore_convolution.operator`):  ds = conv(dx; K) + conv(x; dK) + db;
px = convᵀ(q; K), pK = grad(x, q), pb = Σ q;  of these along (dx, du), where q changes by dq:
dpx = convᵀ(dq; K) + convᵀ(q; dK), dpK = grad(x, dq) + grad(dx, q), dpb = Σ dq.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from occore import (
    ActivationName,
    Array,
    Controls,
    Example,
    Initialisation,
    InputError,
    JointSecond,
    Layout,
    Linearization,
    activation,
)
from occore_convolution.operator import ConvolutionOperator, Realisation
from occore_convolution.sums import over_samples_and_cells
from occore_convolution.taps import Boundary
from occore_single_layer.activated import ActivatedLayer, ActivatedLinearization

Count = Annotated[int, Field(gt=0)]


@dataclass(frozen=True)
class Convolution(ActivatedLayer):
    """σ(conv(x; K) + b); a layer, or the field of an integrated phase where shapes agree."""

    state_shape: tuple[int, ...]
    channels: Annotated[int, Field(gt=0, description="number of channels of the value")]
    stencil: Annotated[
        Count | tuple[Count, ...], Field(description="taps along each axis, or one number for all")
    ] = 3
    boundary: Annotated[Boundary, Field(description="what is outside; none: outputs inside")] = (
        "zero"
    )
    stride: Annotated[int, Field(gt=0, description="cells from one output to the next")] = 1
    dilation: Annotated[int, Field(gt=0, description="cells from one tap to the next")] = 1
    activation: Annotated[ActivationName, Field(description="σ, entry by entry")] = "tanh"
    bias: Annotated[bool, Field(description="whether there is a b")] = True
    initialisation: Annotated[
        Initialisation, Field(description="how K is drawn at the start; b is zero then")
    ] = "glorot"
    realisation: Annotated[Realisation, Field(description="how it is computed")] = "gemm"

    def __post_init__(self) -> None:
        if len(self.state_shape) < 2:
            raise InputError(
                f"a convolution takes (*grid, channels); its state has the shape "
                f'{self.state_shape}: put a phase of kind "picture" before it'
            )
        _ = self.operator  # whose sizes are checked here

    @cached_property
    def operator(self) -> ConvolutionOperator:
        """The convolution without bias and activation."""
        *grid, channels = self.state_shape
        stencil = self.stencil
        return ConvolutionOperator(
            tuple(grid),
            (stencil,) * len(grid) if isinstance(stencil, int) else tuple(stencil),
            channels,
            self.channels,
            self.boundary,
            self.stride,
            self.dilation,
            self.realisation,
        )

    @property
    def controls(self) -> Layout:
        """K (*stencil, channels_in, channels) and b (channels,)."""
        shapes: dict[str, tuple[int, ...]] = {"K": self.operator.stencil_shape}
        return Layout({**shapes, "b": (self.channels,)} if self.bias else shapes)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(*output grid, channels)."""
        return self.operator.output_shape

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """K as `initialisation` says, b zero."""
        K = self.operator.initial_stencil(self.initialisation, rng)
        return self.controls.zeros() | {"K": K}

    def argument(self, x: Array, u: Controls) -> Array:
        """conv(x; K) + b of each sample."""
        return _biased(self.operator, x, u)

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """σ(conv(x; K) + b); in one pass where there are compiled loops for it."""
        if not self._fuses(x, u):
            return super().__call__(t, x, u)
        return self._fused(x, u)

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative; its adjoints in one pass where there are loops for it."""
        if not self._fuses(x, u):
            return super().linearize(t, x, u)
        y, sigma = self._fused(x, u), activation(self.activation)
        part = ConvolutionLinearization(self.operator, x, u["K"], self.bias)
        return y, FusedLinearization(ActivatedLinearization(sigma, part, y, y))

    def _fuses(self, x: Array, u: Controls) -> bool:
        by_value = activation(self.activation).slope_of_value is not None
        return by_value and self.realisation == "gemm" and self.operator.kernel.fuses(x, u["K"])

    def _fused(self, x: Array, u: Controls) -> Array:
        relu = self.activation == "relu"
        y = self.operator.kernel.forward(x, u["K"], u.get("b"), positive=relu)
        return y if relu else activation(self.activation)(y)

    def linearize_argument(self, x: Array, u: Controls) -> tuple[Array, ConvolutionLinearization]:
        """conv(x; K) + b and its derivative."""
        return self.argument(x, u), ConvolutionLinearization(self.operator, x, u["K"], self.bias)

    @classmethod
    def example(cls) -> Example:
        """A signal of two cells in two channels, zero outside, by hand; away from kinks at s = 0.

        s_1 = (0.25 + 0.25) + (0.25 + 0.5) + 0.5 = 1.75 in the first channel.
        """
        s = [[1.75, -1.25], [1.125, -0.75]]
        return Example(
            cls(state_shape=(2, 2), channels=2, stencil=2),
            x=[[[1.0, 0.5], [0.5, 1.0]]],
            u={
                "K": [[[0.25, -0.5], [0.5, -0.25]], [[0.5, -0.25], [0.5, -0.25]]],
                "b": [0.5, -0.25],
            },
            value=[[[math.tanh(value) for value in cell] for cell in s]],
        )


@dataclass(frozen=True)
class FusedLinearization(JointSecond):
    """The derivative of σ(conv(x; K) + b), whose adjoints are those of `StencilKernel.vjp`.

    general: the derivative in passes, which has y in the place of s, and gives all other products.
    """

    general: ActivatedLinearization

    def jvp(self, dx: Array, du: Controls) -> Array:
        """σ'(s) ∘ ds."""
        return self.general.jvp(dx, du)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """px, pK and pb, of q = σ'(s) ∘ py while it is in the cache."""
        return self._adjoints(py, state=True)

    def control_jvp(self, du: Controls) -> Array:
        """σ'(s) ∘ ds of dx = 0."""
        return self.general.control_jvp(du)

    def control_vjp(self, py: Array) -> Controls:
        """pK and pb of `vjp`."""
        return self._adjoints(py, state=False)[1]

    def second(
        self, py: Array, dp: Array, dx: Array, du: Controls
    ) -> tuple[Array, Array, Controls]:
        """Those in passes."""
        return self.general.second(py, dp, dx, du)

    def control_second(self, py: Array, dp: Array, du: Controls) -> Controls:
        """That in passes."""
        return self.general.control_second(py, dp, du)

    def _adjoints(self, py: Array, *, state: bool) -> tuple[Any, Controls]:
        general, part = self.general, self.general.argument
        kernel = part.operator.kernel
        if not kernel.applies(py, part.K):
            return general.vjp(py)
        px, pK, pb = kernel.vjp(part.x, part.K, general.y, py, general.sigma, state)
        return px, {"K": pK, "b": pb} if part.bias else {"K": pK}


def _biased(operator: ConvolutionOperator, x: Array, u: Controls) -> Array:
    s = operator.forward(x, u["K"])
    if "b" in u:
        s += u["b"]  # in place where arrays can be changed: it is an array of ours
    return s


@dataclass(frozen=True)
class ConvolutionLinearization(JointSecond):
    """The derivative of conv(x; K) + b; see the head of the module."""

    operator: ConvolutionOperator
    x: Array
    K: Array
    bias: bool

    def jvp(self, dx: Array, du: Controls) -> Array:
        """conv(dx; K) + conv(x; dK) + db."""
        return self.operator.forward(dx, self.K) + self.control_jvp(du)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """px = convᵀ(q; K); pK = grad(x, q) and pb = q, summed over samples and cells."""
        return self.operator.adjoint(py, self.K), self.control_vjp(py)

    def control_jvp(self, du: Controls) -> Array:
        """conv(x; dK) + db."""
        return _biased(self.operator, self.x, du)

    def control_vjp(self, py: Array) -> Controls:
        """Those of `vjp`."""
        pK = {"K": self.operator.stencil_gradient(self.x, py)}
        return pK | {"b": over_samples_and_cells(py)} if self.bias else pK

    def second(
        self, py: Array, dp: Array, dx: Array, du: Controls
    ) -> tuple[Array, Array, Controls]:
        """px and its derivative, and that of pu, where py itself changes by dp."""
        operator = self.operator
        dpx = operator.adjoint(dp, self.K) + operator.adjoint(py, du["K"])
        dpu = self.control_vjp(dp)
        dpK = dpu["K"] + operator.stencil_gradient(dx, py)
        return operator.adjoint(py, self.K), dpx, dpu | {"K": dpK}

    def control_second(self, py: Array, dp: Array, du: Controls) -> Controls:
        """Affine in the controls: only dp counts."""
        return self.control_vjp(dp)
