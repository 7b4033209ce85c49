"""The Laplacian of the Tikhonov penalty is a convolution: three realisations of one operator."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import diags_array, eye_array, kron

from occore_convolution.differential_operators import stencil_of
from occore_convolution.operator import ConvolutionOperator
from occore_least_squares.tikhonov import Tikhonov


def second(n):
    """DᵀD, one size: (n, n)."""
    D = diags_array([-1.0, 1.0], offsets=(0, 1), shape=(n - 1, n))
    return D.T @ D


@pytest.mark.parametrize("grid", [(7,), (4, 6)])
def test_laplacian_of_weights(grid, rng):
    """A Kronecker sum, differences along axes, and a stencil with reflecting boundary, mesh 1."""
    u = rng.standard_normal((3, *grid, 1))
    beta = np.zeros((3,) * len(grid))
    for axis in range(len(grid)):
        beta[tuple(2 if i == axis else 0 for i in range(len(grid)))] = -1.0
    K = stencil_of(beta, 1.0, tuple(range(len(grid))))[..., None, None]
    convolved = ConvolutionOperator(grid, (3,) * len(grid), 1, 1, "reflecting").forward(u, K)
    axes = tuple(range(-1 - len(grid), -1))
    assert_allclose(convolved, Tikhonov(operator="laplacian", axes=axes).apply(u), atol=1e-13)
    L = second(grid[0])
    if len(grid) == 2:
        L = kron(eye_array(grid[0]), second(grid[1])) + kron(second(grid[0]), eye_array(grid[1]))
    assert_allclose(convolved.reshape(3, -1), u.reshape(3, -1) @ L.T, atol=1e-13)
