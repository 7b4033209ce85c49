"""Average pooling: the mean over windows of a picture, with a trainable gain and an activation.

f(x, u) = σ(s),    s = w a + b,    a = mean of x over each window, channel by channel

Without a gain s = a. With it and an activation: layers H2 and H4 of LeCun et al., Handwritten digit
recognition with a back-propagation network (1990), whose units average four inputs, multiply by a
trainable coefficient, add a trainable bias and pass the squashing function.

symbol   code            shape                          meaning
x        x               (samples, *grid, channels)     picture
a        a               (samples, *windows, channels)  means over the windows
w, b     u["w"], u["b"]  (channels,), (channels,)       gain and bias, where `gain` is true
σ        sigma                                          activation; slope σ'(s), bend σ''(s)
p        py, px, pu      like y, x, u                   adjoint; a leading d marks a tangent

Derivatives, ∘ entry by entry, A the averaging:  dy = σ' ∘ ds with ds = w da + dw a + db, da = A dx;
q = σ' ∘ py, px = Aᵀ(w q), pw = Σ q ∘ a, pb = Σ q over samples and windows; of these along (dx, du):
dq = σ'' ∘ ds ∘ py, dpx = Aᵀ(w dq + dw q), dpw = Σ dq ∘ a + q ∘ da, dpb = Σ dq.
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
    Layout,
    Linearization,
    activation,
)
from occore_convolution.sums import over_samples_and_cells
from occore_convolution.windows import Windows


@dataclass(frozen=True)
class AveragePooling(Dynamics):
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

    autonomous = True

    def __post_init__(self) -> None:
        self.windows  # noqa: B018 - a window that does not fit is refused here

    @property
    def kinks(self) -> bool:
        """Where σ has kinks."""
        return not activation(self.activation).smooth

    @property
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

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """The activated means, (samples, *output_shape)."""
        return activation(self.activation)(self._argument(self._mean(x), u))

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative."""
        sigma, a = activation(self.activation), self._mean(x)
        s = self._argument(a, u)
        y = sigma(s)
        return y, AveragePoolingLinearization(self, sigma, a, u.get("w", 1), s, y)

    def _mean(self, x: Array) -> Array:
        return self.windows.total(x) * (1 / self.windows.cells)

    def _argument(self, a: Array, u: Controls) -> Array:
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
class AveragePoolingLinearization(Linearization):
    """The derivative of σ(w a + b); see the head of the module."""

    map: AveragePooling
    sigma: Activation
    a: Array
    w: Array | int
    s: Array
    y: Array

    def jvp(self, dx: Array, du: Controls) -> Array:
        """σ' ∘ (w da + dw a + db)."""
        return self._slope() * self._tangent(self.map._mean(dx), du)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """px = Aᵀ(w q), pw = Σ q ∘ a, pb = Σ q."""
        q = self._slope() * py
        return self._spread(self.w * q), self._controls(q * self.a, q)

    def second(
        self, py: Array, dp: Array, dx: Array, du: Controls
    ) -> tuple[Array, Array, Controls]:
        """px and its derivative, and that of pu, where py itself changes by dp."""
        slope, da = self._slope(), self.map._mean(dx)
        ds = self._tangent(da, du)
        q, dq = slope * py, slope * dp + self.sigma.bend(self.s, self.y) * ds * py
        dpa = self.w * dq + (du["w"] * q if self.map.gain else 0)
        return (
            self._spread(self.w * q),
            self._spread(dpa),
            self._controls(dq * self.a + q * da, dq),
        )

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """The derivatives of px and pu along (dx, du) for a fixed py."""
        _, dpx, dpu = self.second(py, 0 * py, dx, du)
        return dpx, dpu

    def _slope(self) -> Array:
        return self.sigma.slope(self.s, self.y)

    def _tangent(self, da: Array, du: Controls) -> Array:
        return self.w * da + du["w"] * self.a + du["b"] if self.map.gain else da

    def _spread(self, pa: Array) -> Array:
        windows = self.map.windows
        part = pa * (1 / windows.cells)
        return windows.scatter(part for _ in windows.places)

    def _controls(self, pw: Array, pb: Array) -> Controls:
        if not self.map.gain:
            return {}
        return {"w": over_samples_and_cells(pw), "b": over_samples_and_cells(pb)}
