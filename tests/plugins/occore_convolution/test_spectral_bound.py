"""Spectral bounds of stencils against singular values of the matrices."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore_convolution.operator import ConvolutionOperator
from occore_convolution.spectral_bound import spectral_bound

GRIDS = [((7,), (3,)), ((4, 5), (3, 3))]


def norm(operator, K):
    return np.linalg.norm(operator.matrix(K).toarray(), 2)


@pytest.mark.parametrize(("grid", "stencil"), GRIDS)
def test_periodic_it_is_the_norm(grid, stencil, rng):
    operator = ConvolutionOperator(grid, stencil, 2, 3, boundary="periodic")
    K = rng.standard_normal(operator.stencil_shape)
    assert_allclose(spectral_bound(operator, K), norm(operator, K), rtol=1e-12)


@pytest.mark.parametrize("boundary", ["zero", "reflecting", "none"])
@pytest.mark.parametrize(("grid", "stencil"), GRIDS)
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2)])
def test_elsewhere_it_is_not_below(boundary, grid, stencil, stride, dilation, rng):
    if boundary == "none" and dilation == 2 and 4 in grid:
        stencil = (1, 3)
    operator = ConvolutionOperator(grid, stencil, 2, 3, boundary, stride, dilation)
    for _ in range(10):
        K = rng.standard_normal(operator.stencil_shape)
        assert spectral_bound(operator, K) >= norm(operator, K) * (1 - 1e-12)


def test_the_laplacian():
    """(1, −2, 1) on n cells: 4 sin²(π n/(2(n + 1))) with zeros outside, 4 periodic (n even).

    Reflecting it is 4 cos²(π/(2n)); the stencil is symmetric, so the bound has no factor.
    """
    K, n = np.array([1.0, -2.0, 1.0]).reshape(3, 1, 1), 8
    found = {
        boundary: spectral_bound(ConvolutionOperator((n,), (3,), 1, 1, boundary), K)
        for boundary in ("zero", "periodic", "reflecting")
    }
    assert_allclose(found["periodic"], 4, rtol=1e-14)
    assert 4 * np.sin(np.pi * n / (2 * (n + 1))) ** 2 <= found["zero"] <= 4
    assert 4 * np.cos(np.pi / (2 * n)) ** 2 <= found["reflecting"] <= 4 * (1 + 1e-14)


def test_a_wide_mirror_needs_its_factor():
    """A one-sided average across a mirror doubles the cell there: the norm exceeds the symbol."""
    K = np.array([1.0, 0.0, 0.0, 0.0, 0.0]).reshape(5, 1, 1)
    operator = ConvolutionOperator((4,), (5,), 1, 1, "reflecting")
    assert_allclose(norm(operator, K), np.sqrt(2), rtol=1e-12)
    assert_allclose(spectral_bound(operator, K), np.sqrt(2), rtol=1e-12)
