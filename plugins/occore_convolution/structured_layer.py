"""Structured layer: a dense layer whose matrix has a pattern.

f(x, u) = σ(K(θ) x − γ x + b),    K(θ) = mat(Q θ)

symbol   code            shape             meaning
x        x               (samples, n)      state
θ        u["theta"]      (parameters,)     what the pattern leaves free
b        u["b"]          (n,)              control; where `bias` is true
K        K               (n, n)            see `occore_convolution.patterns`
γ        damping         number            moves the eigenvalues of the matrix to the left

Derivatives are those of a dense layer, with dK = mat(Q dθ) and pθ = Qᵀ vec(pK). The output is like
the state, so the layer is also a field, as in Haber and Ruthotto, Stable architectures for deep
neural networks, Inverse Problems 34 (2018). The antisymmetric pattern has all matrices A − Aᵀ: with
γ = 0 the eigenvalues of f_x = σ' K, similar to √σ' K √σ', are imaginary for σ' ≥ 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal, get_args

import numpy as np
from pydantic import Field

from occore import (
    ActivationName,
    Array,
    Controls,
    Dynamics,
    Example,
    Initialisation,
    Layout,
    Linearization,
    activation,
    array_namespace,
    initial_weights,
)
from occore_convolution.patterns.antisymmetric import Antisymmetric
from occore_convolution.patterns.circulant import Circulant
from occore_convolution.patterns.diagonal import Diagonal
from occore_convolution.patterns.full import Full
from occore_convolution.patterns.m_matrix import MMatrix
from occore_convolution.patterns.pattern import Pattern
from occore_convolution.patterns.stencil import Stencil
from occore_single_layer.dense import Dense

PatternName = Literal["full", "diagonal", "antisymmetric", "m_matrix", "circulant", "stencil"]
"""The type of an option that names a pattern."""

PATTERNS: dict[str, type[Pattern]] = {
    "full": Full,
    "diagonal": Diagonal,
    "antisymmetric": Antisymmetric,
    "m_matrix": MMatrix,
    "circulant": Circulant,
    "stencil": Stencil,
}
"""By name; `stencil` has three points."""

assert set(PATTERNS) == set(get_args(PatternName))  # noqa: S101


@dataclass(frozen=True)
class StructuredLayer(Dynamics):
    """σ(K(θ) x + b) with a matrix of few parameters."""

    state_shape: tuple[int, ...]
    pattern: Annotated[PatternName, Field(description="structure of K")]
    activation: Annotated[ActivationName, Field(description="σ, entry by entry")] = "tanh"
    bias: Annotated[bool, Field(description="whether there is a b")] = True
    initialisation: Annotated[
        Initialisation, Field(description="how θ is drawn at the start; b is zero then")
    ] = "glorot"
    damping: Annotated[
        float, Field(ge=0, allow_inf_nan=False, description="γ, taken from the diagonal of K")
    ] = 0.0

    autonomous = True

    def __post_init__(self) -> None:
        self.parametric.entries()  # a state that does not fit is an error here, not later

    @cached_property
    def dense(self) -> Dense:
        """The layer without its structure. Raises InputError where the state is no vector."""
        return Dense(self.state_shape, math.prod(self.state_shape), self.activation, self.bias)

    @cached_property
    def parametric(self) -> Pattern:
        """The pattern at the size of the state."""
        return PATTERNS[self.pattern](self.dense.width)  # pyright: ignore[reportCallIssue]

    @property
    def kinks(self) -> bool:
        """Where σ has kinks."""
        return self.dense.kinks

    @property
    def spectrum(self) -> Callable[[Controls], tuple[float, float]] | None:
        """(0, max σ' ‖K‖) where K is antisymmetric and nothing damps; unknown elsewhere."""
        steepest = activation(self.activation).steepest
        if self.pattern != "antisymmetric" or self.damping or steepest is None:
            return None
        matrix = self.parametric.matrix
        return lambda u: (0.0, steepest * float(np.linalg.norm(matrix(u["theta"]), 2)))

    @property
    def controls(self) -> Layout:
        """theta (parameters,) and b (n,)."""
        shapes: dict[str, tuple[int, ...]] = {"theta": (self.parametric.parameters,)}
        return Layout({**shapes, "b": (self.dense.width,)} if self.bias else shapes)

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """θ as `initialisation` says for the number of entries in a row of K, b zero."""
        u, in_row = self.controls.zeros(), max(1, self.parametric.Q.nnz // self.dense.width)
        shape = u["theta"].shape
        return u | {"theta": initial_weights(self.initialisation, shape, in_row, in_row, rng)}

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """σ(K(θ) x − γ x + b) of each sample."""
        return self.dense(t, x, self._damped(u))

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative."""
        y, part = self.dense.linearize(t, x, self._damped(u))
        return y, StructuredLinearization(self.parametric, part)

    def _damped(self, u: Controls) -> Controls:
        """The controls of the dense layer at u."""
        dense = unfolded(self.parametric, u)
        if self.damping == 0:
            return dense
        K, xp = dense["K"], array_namespace(dense["K"])
        return dense | {"K": K - self.damping * xp.eye(self.dense.width, dtype=K.dtype)}

    @classmethod
    def example(cls) -> Example:
        """K = [[0, 2, 1], [−2, 0, −1], [−1, 1, 0]], K x − x/4 = (1.375, −2.0625, −0.5), by hand."""
        return Example(
            cls(state_shape=(3,), pattern="antisymmetric", damping=0.25),
            x=[[0.5, 0.25, 1.0]],
            u={"theta": [2.0, 1.0, -1.0], "b": [0.5, -0.25, 0.75]},
            value=[[math.tanh(1.875), math.tanh(-2.3125), math.tanh(0.25)]],
        )


def unfolded(pattern: Pattern, u: Controls) -> Controls:
    """The controls of the dense layer: K(θ), and b as it is; linear in u."""
    rest = {name: value for name, value in u.items() if name != "theta"}
    return {"K": pattern.matrix(u["theta"])} | rest


@dataclass(frozen=True)
class StructuredLinearization(Linearization):
    """That of the dense layer, after dK = mat(Q dθ) and before pθ = Qᵀ vec(pK)."""

    pattern: Pattern
    dense: Linearization

    def jvp(self, dx: Array, du: Controls) -> Array:
        """Along K(dθ)."""
        return self.dense.jvp(dx, unfolded(self.pattern, du))

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """px, and pK folded."""
        px, pu = self.dense.vjp(py)
        return px, self._folded(pu)

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """K is linear in θ, so there is no other curvature than that of the dense layer."""
        assert self.dense.curvature is not None  # noqa: S101 - a dense layer has it
        dpx, dpu = self.dense.curvature(py, dx, unfolded(self.pattern, du))
        return dpx, self._folded(dpu)

    def _folded(self, pu: Controls) -> Controls:
        rest = {name: value for name, value in pu.items() if name != "K"}
        return {"theta": self.pattern.transpose(pu["K"])} | rest
