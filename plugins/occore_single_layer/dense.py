"""Dense layer: an affine map of the state and an activation.

f(x, u) = σ(s),    s = K x + b

symbol   code            shape                          meaning
x        x               (samples, n)                   state; as data also a sparse matrix
K, b     u["K"], u["b"]  (width, n), (width,)           controls; b where `bias` is true
s        s               (samples, width)               argument of the activation σ
p        py, px, pu      like y, x, u                   adjoint; a leading d marks a tangent

Derivatives are those of `occore_single_layer.activated`, with ds = K dx + dK x + db and
px = Kᵀ q, pK = q xᵀ, pb = q of the linear layer (`occore_least_squares.linear`).
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
    Initialisation,
    InputError,
    Layout,
    initial_weights,
    matrix_product,
)
from occore_least_squares.linear import LinearLinearization
from occore_single_layer.activated import ActivatedLayer


@dataclass(frozen=True)
class Dense(ActivatedLayer):
    """σ(K x + b)."""

    state_shape: tuple[int, ...]
    width: Annotated[int, Field(gt=0, description="number of outputs")]
    activation: Annotated[ActivationName, Field(description="σ, entry by entry")] = "tanh"
    bias: Annotated[bool, Field(description="whether there is a b")] = True
    initialisation: Annotated[Initialisation, Field(description="how K is drawn at the start")] = (
        "glorot"
    )
    scale: Annotated[
        float, Field(gt=0, allow_inf_nan=False, description="factor of what is drawn")
    ] = 1.0
    random_bias: Annotated[
        bool, Field(description="b is drawn at the start as K is; otherwise it is zero then")
    ] = False

    def __post_init__(self) -> None:
        if len(self.state_shape) != 1:
            raise InputError(
                f"a dense layer takes vectors of features; its state has the shape "
                f'{self.state_shape}: put a phase of kind "flatten" before it'
            )

    @cached_property
    def controls(self) -> Layout:
        """K (width, n) and b (width,)."""
        shapes: dict[str, tuple[int, ...]] = {"K": (self.width, *self.state_shape)}
        return Layout({**shapes, "b": (self.width,)} if self.bias else shapes)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(width,)."""
        return (self.width,)

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """K as `initialisation` and `scale` say, b zero or drawn like it."""
        u = self.controls.zeros()
        width, n = u["K"].shape
        drawn = u.keys() if self.random_bias else {"K"}
        return u | {
            name: self.scale * initial_weights(self.initialisation, value.shape, n, width, rng)
            for name, value in u.items()
            if name in drawn
        }

    def argument(self, x: Array, u: Controls) -> Array:
        """K x + b of each sample."""
        s = matrix_product(x, u["K"].T)
        return s + u["b"] if self.bias else s

    def linearize_argument(self, x: Array, u: Controls) -> tuple[Array, LinearLinearization]:
        """K x + b and its derivative."""
        return self.argument(x, u), LinearLinearization(x, u["K"], self.bias, weights="K")

    @classmethod
    def example(cls) -> Example:
        """tanh(0.5 + 0.5 + 0.5) and tanh(−1 − 0.25 − 0.25), by hand; away from kinks at s = 0."""
        return Example(
            cls(state_shape=(2,), width=2),
            x=[[0.5, 0.25]],
            u={"K": [[1.0, 2.0], [-2.0, -1.0]], "b": [0.5, -0.25]},
            value=[[math.tanh(1.5), math.tanh(-1.5)]],
        )
