"""Stencils as differential operators: anchors, polynomials, and rediscretisation."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore_convolution.differential_operators import (
    axial_adjoint,
    axial_coefficients_of,
    axial_stencil_of,
    basis,
    coefficients_of,
    inverse_basis,
    rediscretise,
    stencil_of,
)

COURSE = np.array([-67.0, 129.0, -59.0])


def test_the_stencil_of_the_course_from_16_to_32_cells_and_back():
    """β = (3, 1/2, −63/256) by hand: the sum, h (−59 + 67), h²/2 (−67 − 59), h = 1/16."""
    assert_allclose(coefficients_of(COURSE, 1 / 16, (0,)), [3, 0.5, -63 / 256], rtol=1e-15)
    fine = rediscretise(COURSE, 1 / 16, 1 / 32, (0,))
    assert_allclose(fine, [-260, 507, -244], rtol=1e-15)
    assert_allclose(rediscretise(fine, 1 / 32, 1 / 16, (0,)), COURSE, rtol=1e-14)


@pytest.mark.parametrize("h", [1.0, 0.1, 1 / 28])
def test_basis_and_inverse(h, rng):
    assert_allclose(inverse_basis(h) @ basis(h), np.eye(3), atol=1e-13)
    K = rng.standard_normal((3, 3, 2, 5))
    assert_allclose(stencil_of(coefficients_of(K, h, (0, 1)), h, (0, 1)), K, atol=1e-12)


@pytest.mark.parametrize(("k", "m"), list(itertools.product(range(3), range(3))))
def test_the_nine_terms_on_polynomials(k, m):
    """∂x^k ∂y^m of x²y² at (0, 0) about (0.3, −0.7) by the stencil: exact for these degrees."""
    beta, h, x0, y0 = np.zeros((3, 3)), 0.2, 0.3, -0.7
    beta[k, m] = 1.0
    stencil = stencil_of(beta, h, (0, 1))
    around = h * np.array([-1.0, 0.0, 1.0])
    patch = np.outer((x0 + around) ** 2, (y0 + around) ** 2)
    exact = [x0**2, 2 * x0, 2.0][k] * [y0**2, 2 * y0, 2.0][m]
    assert_allclose(np.sum(stencil * patch), exact, rtol=1e-12)


def test_the_five_point_laplacian():
    beta = np.zeros((3, 3))
    beta[2, 0] = beta[0, 2] = 1.0
    assert_allclose(stencil_of(beta, 0.5, (0, 1)), 4 * np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]]))


def test_types_are_kept():
    for dtype in (np.float32, np.float64, np.complex128):
        assert rediscretise(np.ones((3, 2), dtype), 1.0, 0.5, (0,)).dtype == dtype


def test_the_five_terms_on_the_axes():
    """1, ∂x, ∂xx, ∂y, ∂yy of x²y + y² at (0.3, −0.7), by hand."""
    h, x, y = 0.2, 0.3, -0.7
    around = h * np.array([-1.0, 0.0, 1.0])
    X, Y = np.meshgrid(x + around, y + around, indexing="ij")
    exact = [x**2 * y + y**2, 2 * x * y, 2 * y, x**2 + 2 * y, 2.0]
    for beta, value in zip(np.eye(5), exact, strict=True):
        stencil = axial_stencil_of(beta, h, 2)
        assert_allclose(np.sum(stencil * (X**2 * Y + Y**2)), value, rtol=1e-12)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_axial_coefficients_are_those_of_the_taps_on_the_axes(axes, rng):
    K, beta = rng.standard_normal((3,) * axes + (2, 4)), rng.standard_normal((1 + 2 * axes, 2, 4))
    distance = np.sum(np.abs(np.indices((3,) * axes) - 1), axis=0)
    on_axes = np.where((distance <= 1)[..., None, None], K, 0)
    found = axial_stencil_of(axial_coefficients_of(K, 0.3, axes), 0.3, axes)
    assert_allclose(found, on_axes, atol=1e-12)
    assert_allclose(
        np.sum(axial_stencil_of(beta, 0.3, axes) * K),
        np.sum(beta * axial_adjoint(K, 0.3, axes)),
        rtol=1e-12,
    )
