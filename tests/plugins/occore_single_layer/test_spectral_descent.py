"""Spectral descent: the orthogonal factor, what counts as a matrix, hand calculations."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore import Data, Phase, Problem
from occore_convolution.convolution import Convolution
from occore_least_squares.least_squares import LeastSquares
from occore_single_layer.spectral_descent import SpectralDescent, orthogonal_factor


@pytest.mark.parametrize("shape", [(3, 7), (7, 3), (4, 4), (5, 1)])
def test_the_factor_is_that_of_the_singular_value_decomposition(rng, shape):
    D = rng.standard_normal(shape)
    U, _, Vt = np.linalg.svd(D, full_matrices=False)
    assert_allclose(orthogonal_factor(D), U @ Vt, atol=1e-12)


def test_a_direction_without_a_gradient_stays(rng):
    """Of rank one: u vᵀ of unit vectors. Of zero: zero, not NaN."""
    u, v = rng.standard_normal(4), rng.standard_normal(6)
    expected = np.outer(u, v) / np.linalg.norm(u) / np.linalg.norm(v)
    assert_allclose(orthogonal_factor(np.outer(u, v)), expected, atol=1e-12)
    assert np.array_equal(orthogonal_factor(np.zeros((3, 2))), np.zeros((3, 2)))


def test_first_steps(iterates):
    """A single number moves by η down its gradient, however large that is."""
    assert iterates(SpectralDescent(learning_rate=0.25), 3) == pytest.approx([0.75, 0.5, 0.25])


def test_momentum(iterates):
    """With η = 1.5 from w = 1 to −0.5, where g = −0.5: it turns back, or goes on to −2.

    For β = 0.9 the mean m is 0.1, then 0.9 · 0.1 − 0.1 · 0.5 = 0.04, still positive; not so
    0.9 m − 0.1 · 0.5 = −0.014 of Nesterov.
    """
    method = SpectralDescent(learning_rate=1.5, momentum=0.9, nesterov=False)
    assert iterates(method, 2) == pytest.approx([-0.5, -2.0])
    assert iterates(replace(method, nesterov=True), 2) == pytest.approx([-0.5, 1.0])
    assert iterates(replace(method, momentum=0.0), 2) == pytest.approx([-0.5, 1.0])


def test_stencils_have_a_column_for_each_channel_out(rng):
    """Steps of K as (9 · 2, 4) have orthonormal columns times η, and that of b the length η."""
    layer = Convolution((6, 6, 2), channels=4, stencil=3)
    data = Data(rng.standard_normal((5, 6, 6, 2)), rng.standard_normal((5, 6, 6, 4)))
    problem = Problem((Phase("layer", layer),), LeastSquares(), data)
    theta = rng.standard_normal(problem.size)
    method = SpectralDescent(batch=5, learning_rate=0.01)
    after, _ = method.step(problem, theta, method.init(problem, theta))
    step = problem.layout.unflatten(after - theta)
    K = step["layer/K"].reshape(18, 4) / 0.01
    assert_allclose(K.T @ K, np.eye(4), atol=1e-9)
    assert np.linalg.norm(step["layer/b"]) == pytest.approx(0.01)
