"""Stochastic gradient descent against hand calculations, with soft thresholding too."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore import Data, Phase, Problem
from occore_classification.fista import FISTA
from occore_classification.l1 import L1
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.linear import Linear
from occore_single_layer.sgd import SGD


def test_plain_steps(iterates):
    assert iterates(SGD(learning_rate=0.1), 3) == pytest.approx([0.9, 0.81, 0.729], rel=1e-15)


def test_momentum(iterates):
    """v: −0.1, −0.05 − 0.09, −0.07 − 0.076."""
    found = iterates(SGD(learning_rate=0.1, momentum=0.5), 3)
    assert found == pytest.approx([0.9, 0.76, 0.614], rel=1e-14)


def test_nesterov(iterates):
    """v: −0.1, then −0.05 − 0.1 · 0.85, the gradient at 0.9 − 0.05."""
    found = iterates(SGD(learning_rate=0.1, momentum=0.5, nesterov=True), 2)
    assert found == pytest.approx([0.9, 0.765], rel=1e-14)


def test_weight_decay_follows_each_change(iterates):
    """v: −0.1, −0.05 − 0.0882; (0.9, 0.882 − 0.1382) · 0.98."""
    found = iterates(SGD(learning_rate=0.1, momentum=0.5, weight_decay=0.2), 2)
    assert found == pytest.approx([0.882, 0.728924], rel=1e-14)


@pytest.fixture
def lasso(rng):
    """A fit to 40 samples of which three inputs of eight matter, as a mean."""
    x = rng.standard_normal((40, 8))
    weights = np.array([2.0, 0, 0, -1.5, 0, 0, 0.8, 0])
    data = Data(x, (x @ weights)[:, None] + 0.1 * rng.standard_normal((40, 1)))
    phase = Phase("fit", Linear((8,), 1, bias=False))
    return Problem((phase,), LeastSquares("mean") + 0.2 * L1(), data)


def solve(method, problem):
    theta = np.zeros(problem.size)
    state = method.init(problem, theta)
    while method.finished(problem, theta, state) is None:
        theta, state = method.step(problem, theta, state)
    return theta, state


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.8])
def test_soft_thresholding_finds_the_lasso(lasso, momentum, nesterov):
    """With all samples in a batch, to FISTA's solution; momentum must not shift it."""
    best, _ = solve(FISTA(tolerance=1e-12), lasso)
    method = SGD(
        max_iterations=600,
        batch=40,
        learning_rate=0.2,
        momentum=momentum,
        nesterov=nesterov,
        exact_values=True,
        tolerance=1e-10,
    )
    theta, state = solve(method, lasso)
    assert_allclose(theta, best, atol=1e-9)
    assert np.count_nonzero(theta) == 3
    assert state.gradient_norm < 1e-9
    assert state.value == pytest.approx(lasso.value(theta), rel=1e-14)


def test_mini_batches_make_weights_exactly_zero(lasso):
    method = SGD(batch=10, learning_rate=0.1, schedule="inverse", half_life=5.0, momentum=0.5)
    theta, _ = solve(method, lasso)
    best, _ = solve(FISTA(tolerance=1e-12), lasso)
    assert np.flatnonzero(theta).tolist() == np.flatnonzero(best).tolist() == [0, 3, 6]
    assert lasso.value(theta) < 1.01 * lasso.value(best)
    without, _ = solve(method, replace(lasso, objective=LeastSquares("mean")))
    assert np.count_nonzero(without) == 8
