"""Galerkin projection of stencils: the map by SymPy, constants, and the order on smooth data."""

import numpy as np
import pytest
import sympy
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import circulant

from occore_convolution.differential_operators import coefficients_of, rediscretise, stencil_of
from occore_convolution.galerkin import (
    WEIGHTS,
    coarsened,
    galerkin_map,
    prolongation,
    refined,
    restriction,
)

KINDS = list(WEIGHTS)


def periodic(stencil, cells):
    """The matrix of a stencil of three points on a periodic grid."""
    column = np.zeros(cells)
    np.add.at(column, np.array([1, 0, -1]) % cells, stencil)
    return circulant(column)


@pytest.mark.parametrize("kind", KINDS)
def test_the_map_by_sympy_with_four_coarse_cells(kind):
    """R K_h P of symbols is circulant with three points a row, which are G times those of K_h."""
    k, cells = sympy.symbols("k:3"), 4
    P = sympy.Matrix(prolongation(cells, kind).toarray()).applyfunc(sympy.nsimplify)
    R = sympy.Matrix(restriction(cells).toarray()).applyfunc(sympy.nsimplify)
    fine = sympy.zeros(2 * cells)
    for i in range(2 * cells):
        for j in range(3):
            fine[i, (i + j - 1) % (2 * cells)] += k[j]
    coarse, G = R * fine * P, sympy.Matrix(galerkin_map(kind)).applyfunc(sympy.nsimplify)
    expected, stencil = sympy.zeros(cells), G * sympy.Matrix(k)
    for i in range(cells):
        for j in range(3):
            expected[i, (i + j - 1) % cells] += stencil[j]
    assert (coarse - expected).applyfunc(sympy.expand) == sympy.zeros(cells)
    assert G.det() != 0


@pytest.mark.parametrize("kind", KINDS)
def test_transfers_keep_constants(kind):
    assert_array_equal(prolongation(6, kind) @ np.ones(6), np.ones(12))
    assert_array_equal(restriction(6) @ np.ones(12), np.ones(6))


@pytest.mark.parametrize("kind", KINDS)
def test_refined_and_coarsened_undo_each_other(kind, rng):
    K = rng.standard_normal((3, 3, 2))
    assert_allclose(coarsened(refined(K, (0, 1), kind), (0, 1), kind), K, atol=1e-13)


def test_what_becomes_of_the_three_terms():
    """Linear P: 1 → 1 + (H²/8) ∂xx, ∂x → ∂x, ∂xx → ∂xx. Constant P: ∂xx → 2 ∂xx."""
    h, H = 0.25, 0.5

    def projected(kind):
        return coefficients_of(coarsened(stencil_of(np.eye(3), h, (0,)), (0,), kind), H, (0,))

    assert_allclose(projected("linear"), [[1, 0, 0], [0, 1, 0], [H**2 / 8, 0, 1]], atol=1e-14)
    assert_allclose(projected("constant"), [[1, 0, 0], [0, 1, 0], [0, 0, 2]], atol=1e-14)


def test_on_constants_it_acts_as_rediscretisation(rng):
    """Both give β₀ times the constant, from fine to coarse and from coarse to fine, in 2-D."""
    K = rng.standard_normal((3, 3))
    beta = coefficients_of(K, 1.0, (0, 1))[0, 0]
    for kind in KINDS:
        assert_allclose(coarsened(K, (0, 1), kind).sum(), beta, rtol=1e-12)
        assert_allclose(refined(K, (0, 1), kind).sum(), beta, rtol=1e-12)
    assert_allclose(rediscretise(K, 1.0, 0.5, (0, 1)).sum(), beta, rtol=1e-12)


def test_on_smooth_data_it_differs_by_the_truncation_order():
    """β = (3, 1/2, −63/256) on sin 2πx: both ways, the difference to rediscretisation is O(H²)."""
    beta, down, up, sizes = np.array([3.0, 0.5, -63 / 256]), [], [], [32, 64, 128, 256]
    for cells in sizes:
        H, h = 1 / cells, 1 / (2 * cells)
        coarse, fine = stencil_of(beta, H, (0,)), stencil_of(beta, h, (0,))
        smooth = np.sin(2 * np.pi * (np.arange(cells) + 0.5) * H)
        smooth_fine = np.sin(2 * np.pi * (np.arange(2 * cells) + 0.5) * h)
        R, P = restriction(cells), prolongation(cells)
        projected = R @ (periodic(fine, 2 * cells) @ (P @ smooth))
        down.append(np.max(np.abs(projected - periodic(coarse, cells) @ smooth)))
        other = periodic(refined(coarse, (0,)) - fine, 2 * cells) @ smooth_fine
        up.append(np.max(np.abs(other)))
    for gaps in (down, up):
        orders = np.log2(np.array(gaps[:-1]) / gaps[1:])
        assert_allclose(orders, 2, atol=0.02)
