"""Linear layer: an affine map of the state, the model of linear least squares.

f(x, u) = W x + b

symbol   code            shape                          meaning
x        x               (samples, n)                   state; as data also a sparse matrix
W, b     u["W"], u["b"]  (width, n), (width,)           controls; b where `bias` is true
p        py, px, pu      like y, x, u                   adjoint; a leading d marks a tangent
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from occore import (
    Array,
    Controls,
    Dynamics,
    Example,
    Initialisation,
    InputError,
    JointSecond,
    Layout,
    Linearization,
    array_namespace,
    initial_weights,
    matrix_product,
    transposed_product,
)


@dataclass(frozen=True)
class Linear(Dynamics):
    """W x + b; affine in its controls and in its state."""

    affine_in_controls: ClassVar[bool] = True

    state_shape: tuple[int, ...]
    width: Annotated[int, Field(gt=0, description="number of outputs")]
    bias: Annotated[bool, Field(description="whether a constant b is added")] = True
    initialisation: Annotated[
        Initialisation, Field(description="how W is drawn at the start; b is zero then")
    ] = "zero"

    def __post_init__(self) -> None:
        if len(self.state_shape) != 1:
            raise InputError(
                f"a linear layer takes vectors of features; its state has the shape "
                f'{self.state_shape}: put a phase of kind "flatten" before it'
            )

    @property
    def controls(self) -> Layout:
        """W (width, n) and b (width,)."""
        shapes: dict[str, tuple[int, ...]] = {"W": (self.width, *self.state_shape)}
        return Layout({**shapes, "b": (self.width,)} if self.bias else shapes)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(width,)."""
        return (self.width,)

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """W as `initialisation` says, b zero."""
        u = self.controls.zeros()
        width, n = u["W"].shape
        return u | {"W": initial_weights(self.initialisation, (width, n), n, width, rng)}

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """W x + b of each sample."""
        y = matrix_product(x, u["W"].T)
        return y + u["b"] if self.bias else y

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative, which depends on x and W alone."""
        return self(t, x, u), LinearLinearization(x, u["W"], self.bias)

    def design(self, t: float, x: Array) -> dict[str, Array]:
        """The inputs for W, a column of ones for b."""
        return {"W": x, "b": np.ones((x.shape[0], 1), x.dtype)} if self.bias else {"W": x}

    @classmethod
    def example(cls) -> Example:
        """(1·1 + 2·2 + 10, 3·1 + 4·2 + 20), by hand."""
        return Example(
            cls(state_shape=(2,), width=2),
            x=[[1.0, 2.0]],
            u={"W": [[1.0, 2.0], [3.0, 4.0]], "b": [10.0, 20.0]},
            value=[[15.0, 31.0]],
        )


@dataclass(frozen=True)
class LinearLinearization(JointSecond):
    """dy = W dx + dW x + db; `weights` is the name of the control W."""

    x: Array
    W: Array
    bias: bool
    weights: str = "W"

    def jvp(self, dx: Array, du: Controls) -> Array:
        """W dx + dW x + db."""
        return dx @ self.W.T + self.control_jvp(du)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """px = Wᵀ py; pW = py xᵀ and pb = py, summed over the samples."""
        return py @ self.W, self.control_vjp(py)

    def control_jvp(self, du: Controls) -> Array:
        """dW x + db."""
        dy = matrix_product(self.x, du[self.weights].T)
        return dy + du["b"] if self.bias else dy

    def control_vjp(self, py: Array) -> Controls:
        """Those of `vjp`."""
        pW = {self.weights: transposed_product(py, self.x)}
        return pW | {"b": array_namespace(py).sum(py, axis=0)} if self.bias else pW

    def control_of_each(self, py: Array) -> Controls:
        """py xᵀ and py of each sample."""
        pW = {self.weights: py[:, :, None] * self.x[:, None, :]}
        return pW | {"b": py} if self.bias else pW

    def second(
        self, py: Array, dp: Array, dx: Array, du: Controls
    ) -> tuple[Array, Array, Controls]:
        """Bilinear in W and x: beside dp only dWᵀ py and py dxᵀ count."""
        dpu = self.control_vjp(dp)
        dpW = dpu[self.weights] + transposed_product(py, dx)
        dpx = dp @ self.W + py @ du[self.weights]
        return py @ self.W, dpx, dpu | {self.weights: dpW}

    def control_second(self, py: Array, dp: Array, du: Controls) -> Controls:
        """Affine in the controls: only dp counts."""
        return self.control_vjp(dp)
