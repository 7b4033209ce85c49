"""Gram–Newton: exact for least squares, a ridge regression at first for softmax, what it costs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore import Data, InputError, Phase, Problem
from occore_classification.newton_cg import NewtonCG
from occore_classification.softmax_cross_entropy import SoftmaxCrossEntropy
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.linear import Linear
from occore_least_squares.tikhonov import Tikhonov
from occore_single_layer.gram_newton import GramNewton


@pytest.fixture
def data(rng) -> Data:
    """Sixty samples of three classes that a plane does not part, with features of many sizes."""
    inputs = rng.standard_normal((60, 4)) * [1.0, 10.0, 0.1, 3.0]
    noisy = inputs[:, :3] / [1.0, 10.0, 0.1] + rng.standard_normal((60, 3))
    return Data(inputs, np.eye(3)[np.argmax(noisy, axis=1)])


def problem(objective, data, bias=True):
    return Problem((Phase("fit", Linear((4,), 3, bias)),), objective, data)


def test_least_squares_with_a_ridge_takes_one_step(data):
    ridge = problem(2.0 * LeastSquares() + 0.5 * Tikhonov(controls=("W",)), data)
    method, theta = GramNewton(damping=0.0), np.zeros(ridge.size)
    theta, state = method.step(ridge, theta, method.init(ridge, theta))
    A = np.column_stack([data.inputs, np.ones(60)])
    expected = np.linalg.solve(
        2 * A.T @ A + 0.5 * np.diag([1.0, 1, 1, 1, 0]), 2 * A.T @ data.targets
    )
    found = ridge.layout.unflatten(theta)
    assert_allclose(np.column_stack([found["fit/W"], found["fit/b"]]).T, expected, rtol=1e-10)
    assert state.step_length == pytest.approx(1.0, rel=1e-10)


def test_the_first_step_of_softmax_is_along_a_ridge_regression(data):
    """At zero the gradient is −Aᵀ(C − 1/3), whatever the factor of the Gram matrix is."""
    softmax, A = problem(SoftmaxCrossEntropy(), data, bias=False), data.inputs
    method, theta = GramNewton(damping=0.1), np.zeros(12)
    theta, _ = method.step(softmax, theta, method.init(softmax, theta))
    gram = A.T @ A
    shifted = gram + 0.1 * np.mean(np.diag(gram)) * np.eye(4)
    ridge = np.linalg.solve(shifted, A.T @ (data.targets - 1 / 3)).T.ravel()
    cosine = theta @ ridge / np.linalg.norm(theta) / np.linalg.norm(ridge)
    assert cosine == pytest.approx(1, abs=1e-12)


def test_it_converges_to_the_minimiser(data, solve):
    softmax = problem(SoftmaxCrossEntropy() + 0.05 * Tikhonov(), data)
    expected = solve(NewtonCG(tolerance=1e-11), softmax)
    found = solve(GramNewton(tolerance=1e-9, max_iterations=500), softmax)
    assert_allclose(found, expected, atol=1e-7)


def test_no_evaluation_is_made_twice(data):
    """The curvature once; a product and a trial for each step."""
    softmax = problem(SoftmaxCrossEntropy(), data)
    method, theta = GramNewton(), np.zeros(softmax.size)
    state = method.init(softmax, theta)
    theta, state = method.step(softmax, theta, state)
    counts = softmax.counts
    before, sweeps = counts.work, counts.forward
    method.step(softmax, theta, state)
    trials = counts.forward - sweeps
    assert counts.work - before == 2 * trials + 2


def test_many_columns_are_refused(data):
    with pytest.raises(InputError, match="5 columns of features, more than max_columns = 3"):
        method = GramNewton(max_columns=3)
        method.init(problem(SoftmaxCrossEntropy(), data), np.zeros(15))
