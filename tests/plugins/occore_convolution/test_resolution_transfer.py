"""Controls of a coarse grid on a fine one: the field is the same to the order of truncation."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore_convolution.differential_operators import coefficients_of, stencil_of
from occore_convolution.galerkin import refined, restriction
from occore_convolution.parabolic_convolution import ParabolicConvolution

BETA = np.array([1.0, 0.3, 0.02]).reshape(3, 1, 1)


def rate(cells, beta):
    """The parabolic field of a sine on a periodic grid of [0, 1]."""
    field = ParabolicConvolution(
        (cells, 1), boundary="periodic", parametrisation="differential", mesh_size=1 / cells
    )
    x = np.sin(2 * np.pi * (np.arange(cells) + 0.5) / cells).reshape(1, cells, 1)
    return field(0.0, x, {"beta": beta, "b": np.array([0.2])})[0, :, 0]


@pytest.mark.parametrize("way", ["rediscretised", "galerkin"])
def test_the_field_on_twice_the_cells(way):
    gaps = []
    for cells in (128, 256, 512):
        fine = BETA
        if way == "galerkin":
            stencil = refined(stencil_of(BETA, 1 / cells, (0,)), (0,))
            fine = coefficients_of(stencil, 1 / (2 * cells), (0,))
        gap = restriction(cells) @ rate(2 * cells, fine) - rate(cells, BETA)
        gaps.append(np.max(np.abs(gap)))
    assert_allclose(np.log2(np.array(gaps[:-1]) / gaps[1:]), 2, atol=0.03)


def test_stencils_left_as_they_are_mean_another_operator():
    """The same stencil on half the mesh: ∂x counts half, ∂xx a quarter; the gap does not fall."""
    gaps = []
    for cells in (32, 64, 128):
        fine = coefficients_of(stencil_of(BETA, 1 / cells, (0,)), 1 / (2 * cells), (0,))
        assert_allclose(fine.ravel(), [1.0, 0.15, 0.005], rtol=1e-9)
        gaps.append(np.max(np.abs(restriction(cells) @ rate(2 * cells, fine) - rate(cells, BETA))))
    assert min(gaps) > 0.5 * max(gaps)
