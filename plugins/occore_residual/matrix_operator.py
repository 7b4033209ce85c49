"""A matrix as the K of a double layer: a convolution on one cell, in the convention of `dense`.

forward K x, adjoint Kᵀ p, gradient in K p xᵀ, of each sample; K has the shape (width, n).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from occore import Array, Initialisation, initial_weights, matrix_product, transposed_product


@dataclass(frozen=True)
class MatrixOperator:
    """K (width, n) as an `occore_convolution.double_layer.Operator` on vectors."""

    n: int
    channels_out: int
    grid: tuple[()] = ()
    stencil: tuple[()] = ()

    @property
    def stencil_shape(self) -> tuple[int, ...]:
        """(width, n)."""
        return (self.channels_out, self.n)

    def initial_stencil(self, name: Initialisation, rng: np.random.Generator) -> Array:
        """K as the initialiser says."""
        return initial_weights(name, self.stencil_shape, self.n, self.channels_out, rng)

    def forward(self, x: Array, K: Array) -> Array:
        """K x, (samples, width)."""
        return matrix_product(x, K.T)

    def adjoint(self, p: Array, K: Array) -> Array:
        """Kᵀ p, (samples, n)."""
        return p @ K

    def stencil_gradient(self, x: Array, p: Array) -> Array:
        """Σ p xᵀ over the samples, (width, n)."""
        return transposed_product(p, x)

    def norm_bound(self, K: Array) -> float:
        """‖K‖ itself."""
        return float(np.linalg.norm(K, 2))
