"""Average pooling: the mean over windows of a picture, with a trainable gain and an activation.

f(x, u) = σ(s),    s = w a + b,    a = mean of x over each window, channel by channel

Without a gain s = a. With it and an activation: layers H2 and H4 of LeCun et al., Handwritten digit
recognition with a back-propagation network (1990), whose units average four inputs, multiply by a
trainable coefficient, add a trainable bias and pass the squashing function.

symbol   code            shape                          meaning
x        x               (samples, *grid, channels)     picture
a        a               (samples, *windows, channels)  means over the windows
w, b     u["w"], u["b"]  (channels,), (channels,)       gain and bias, where `gain` is true
p        py, px, pu      like y, x, u                   adjoint; a leading d marks a tangent

Derivatives are those of `occore_single_layer.activated`, with A the averaging:
ds = w da + dw a + db, da = A dx;  px = Aᵀ(w q), pw = Σ q ∘ a, pb = Σ q over samples and windows;
of these along (dx, du), where q changes by dq:  dpx = Aᵀ(w dq + dw q), dpw = Σ dq ∘ a + q ∘ da,
dpb = Σ dq.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import (
    ActivationName,
    Array,
    Controls,
    Example,
    JointSecond,
    Layout,
)
from occore_convolution.sums import over_samples_and_cells
from occore_convolution.windows import Windows
from occore_single_layer.activated import ActivatedLayer


@dataclass(frozen=True)
class AveragePooling(ActivatedLayer):
    """σ(w · mean over each window + b), channel by channel."""

    state_shape: tuple[int, ...]
    window: Annotated[int, Field(gt=0, description="cells of a window along each axis")] = 2
    stride: Annotated[
        int | None, Field(gt=0, description="cells from a window to the next; `window` by default")
    ] = None
    gain: Annotated[bool, Field(description="a trainable gain w and bias b for each channel")] = (
        False
    )
    activation: Annotated[ActivationName, Field(description="σ, entry by entry")] = "identity"

    def __post_init__(self) -> None:
        self.windows  # noqa: B018 - a window that does not fit is refused here

    @cached_property
    def windows(self) -> Windows:
        """The windows over the grid."""
        return Windows(self.state_shape, self.window, self.stride or self.window)

    @property
    def controls(self) -> Layout:
        """w and b (channels,), where there is a gain."""
        channels = self.state_shape[-1:]
        return Layout({"w": channels, "b": channels} if self.gain else {})

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(*windows along each axis, channels)."""
        return self.windows.output_shape

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """w = 1 and b = 0: the average itself."""
        u = self.controls.zeros()
        return {name: value + (name == "w") for name, value in u.items()}

    def argument(self, x: Array, u: Controls) -> Array:
        """s, (samples, *output_shape)."""
        return self.affine(self.mean(x), u)

    def linearize_argument(
        self, x: Array, u: Controls
    ) -> tuple[Array, AveragePoolingLinearization]:
        """s and its derivative."""
        a = self.mean(x)
        return self.affine(a, u), AveragePoolingLinearization(self, a, u.get("w", 1))

    def mean(self, x: Array) -> Array:
        """a."""
        return self.windows.mean(x)

    def affine(self, a: Array, u: Controls) -> Array:
        """w a + b, or a without a gain."""
        return u["w"] * a + u["b"] if self.gain else a

    @classmethod
    def example(cls) -> Example:
        """A column of two windows: tanh(2 · (1 + 2 + 3 + 4)/4 + 1) and tanh(−2 · ½ + 1/4)."""
        return Example(
            cls(state_shape=(4, 2, 1), gain=True, activation="tanh"),
            x=[[[[0.1], [0.2]], [[0.3], [0.4]], [[-0.5], [-0.75]], [[-0.25], [-0.5]]]],
            u={"w": [2.0], "b": [0.25]},
            value=[[[[math.tanh(0.75)]], [[math.tanh(-0.75)]]]],
        )


@dataclass(frozen=True)
class AveragePoolingLinearization(JointSecond):
    """The derivative of w a + b; see the head of the module."""

    map: AveragePooling
    a: Array
    w: Array | int

    def jvp(self, dx: Array, du: Controls) -> Array:
        """w da + dw a + db."""
        da = self.map.mean(dx)
        return self.w * da + self.control_jvp(du) if self.map.gain else da

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """px = Aᵀ(w q), pw = Σ q ∘ a, pb = Σ q."""
        return self.map.windows.spread(self.w * py), self.control_vjp(py)

    def control_jvp(self, du: Controls) -> Array:
        """dw a + db."""
        return self.map.affine(self.a, du) if self.map.gain else 0 * self.a

    def control_vjp(self, py: Array) -> Controls:
        """Those of `vjp`."""
        return self._controls(py * self.a, py) if self.map.gain else {}

    def second(
        self, py: Array, dp: Array, dx: Array, du: Controls
    ) -> tuple[Array, Array, Controls]:
        """px and its derivative, and that of pu, where py itself changes by dp."""
        if not self.map.gain:
            return self.map.windows.spread(py), self.map.windows.spread(dp), {}
        dpu = self._controls(dp * self.a + py * self.map.mean(dx), dp)
        return (
            self.map.windows.spread(self.w * py),
            self.map.windows.spread(self.w * dp + du["w"] * py),
            dpu,
        )

    def control_second(self, py: Array, dp: Array, du: Controls) -> Controls:
        """Affine in the controls: only dp counts."""
        return self.control_vjp(dp)

    def _controls(self, pw: Array, pb: Array) -> Controls:
        return {"w": over_samples_and_cells(pw), "b": over_samples_and_cells(pb)}
