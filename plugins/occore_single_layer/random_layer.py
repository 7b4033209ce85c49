"""Random layer: a dense layer whose weights are drawn once and never change.

f(x) = σ(K x + b),    K_ij, b_i drawn and frozen; there are no controls

symbol   code                               shape          drawn from
x        x                                  (samples, n)
K        RandomLayer(…).weights["K"]        (width, n)     U(−scale, scale) or N(0, scale²)
b        RandomLayer(…).weights["b"]        (width,)       U(low, high), the `bias_range`

With a linear layer behind it this is an extreme learning machine: the hidden outputs are features,
and what is left is a linear problem, which any of its solvers solves at once. Huang, Zhu and Siew,
Extreme learning machine: theory and applications, Neurocomputing 70 (2006).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from occore import (
    ActivationName,
    Array,
    Controls,
    Dynamics,
    Example,
    InputError,
    Layout,
    Linearization,
    array_namespace,
    is_sparse,
)
from occore_single_layer.dense import Dense


@dataclass(frozen=True)
class RandomLayer(Dynamics):
    """σ(K x + b) with random K and b."""

    state_shape: tuple[int, ...]
    width: Annotated[int, Field(gt=0, description="number of outputs")]
    activation: Annotated[ActivationName, Field(description="σ, entry by entry")] = "logistic"
    distribution: Annotated[
        Literal["uniform", "normal"],
        Field(description="K uniform in [-scale, scale], or normal with deviation scale"),
    ] = "uniform"
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False, description="size of K")] = 1.0
    bias_range: Annotated[
        tuple[float, float], Field(description="b is uniform between these two")
    ] = (-1.0, 1.0)
    seed: Annotated[int, Field(ge=0, description="of the weights; one seed, one layer")] = 0

    controls = Layout({})
    autonomous = True
    affine_in_controls = True

    def __post_init__(self) -> None:
        low, high = self.bias_range
        if not -math.inf < low <= high < math.inf:
            raise InputError(
                f"bias_range = [{low}, {high}] is no range: give two numbers, the smaller one first"
            )
        _ = self.layer  # which refuses states that are no vectors

    @cached_property
    def layer(self) -> Dense:
        """The layer whose weights are frozen."""
        return Dense(self.state_shape, self.width, self.activation)

    @cached_property
    def weights(self) -> Controls:
        """K (width, n) and b (width,)."""
        rng, shapes = np.random.default_rng(self.seed), self.layer.controls.shapes
        if self.distribution == "uniform":
            K = rng.uniform(-self.scale, self.scale, shapes["K"])
        else:
            K = self.scale * rng.standard_normal(shapes["K"])
        return {"K": K, "b": rng.uniform(*self.bias_range, shapes["b"])}

    @property
    def kinks(self) -> bool:
        """Where σ has kinks."""
        return self.layer.kinks

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(width,)."""
        return (self.width,)

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """σ(K x + b) of each sample."""
        return self.layer(t, x, self._weights_like(x))

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative in x."""
        weights = self._weights_like(x)
        y, part = self.layer.linearize(t, x, weights)
        return y, RandomLayerLinearization(part, {name: 0 * w for name, w in weights.items()})

    def _weights_like(self, x: Array) -> Controls:
        """The weights in the library and precision of x."""
        xp = np if is_sparse(x) else array_namespace(x)
        return {name: xp.asarray(w, dtype=x.dtype) for name, w in self.weights.items()}

    @classmethod
    def example(cls) -> Example:
        """K = 2 r − 1 and b = r − ½ from the 3 × 3 random numbers r in NumPy's documentation.

        Random Generator, "rng = np.random.default_rng(seed=42)"; printed to eight digits.
        """
        K = [[2 * 0.77395605 - 1, 2 * 0.43887844 - 1], [2 * 0.85859792 - 1, 2 * 0.69736803 - 1]]
        b = [0.09417735 - 0.5, 0.97562235 - 0.5]
        x, pairs = (0.5, 2.0), zip(K, b, strict=True)
        return Example(
            cls((2,), 2, "tanh", bias_range=(-0.5, 0.5), seed=42),
            x=[x],
            u={},
            value=[[math.tanh(row[0] * x[0] + row[1] * x[1] + c) for row, c in pairs]],
            rtol=1e-7,
        )


@dataclass(frozen=True)
class RandomLayerLinearization(Linearization):
    """That of the dense layer, along the state alone."""

    part: Linearization
    still: Controls
    """Zeros, the tangent of the weights."""

    def jvp(self, dx: Array, du: Controls) -> Array:
        """σ'(s) ∘ K dx."""
        return self.part.jvp(dx, self.still)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """px = Kᵀ (σ'(s) ∘ py)."""
        return self.part.vjp(py)[0], {}

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """Kᵀ (σ''(s) ∘ K dx ∘ py)."""
        assert self.part.curvature is not None  # noqa: S101 - a dense layer has it
        return self.part.curvature(py, dx, self.still)[0], {}
