"""The Gram preconditioner: exact for least squares, the same for sparse and dense features."""

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose

from occore import Data, Phase, Problem, linear_model, norm
from occore_classification import gram_preconditioner as module
from occore_classification.gram_preconditioner import gram_preconditioner, weighted_gram
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.linear import Linear
from occore_least_squares.tikhonov import Tikhonov
from tests.plugins.occore_classification.conftest import softmax_problem


def test_it_inverts_the_hessian_of_least_squares(rng):
    data = Data(rng.standard_normal((30, 4)), rng.standard_normal((30, 3)))
    objective = 2.0 * LeastSquares() + 0.3 * Tikhonov(operator="first_difference", controls=("W",))
    problem = Problem((Phase("fit", Linear((4,), 3)),), objective, data)
    theta, v = rng.standard_normal((2, problem.size))
    solve = gram_preconditioner(problem, theta)
    assert_allclose(solve(problem.hessian_product(theta, v)), v, rtol=1e-4, atol=1e-5)


def test_theta_and_matrix_are_inverse(rng):
    data = Data(rng.standard_normal((5, 4)), rng.standard_normal((5, 3)))
    problem = Problem((Phase("fit", Linear((4,), 3)),), LeastSquares(), data)
    model, theta = linear_model(problem), rng.standard_normal(problem.size)
    assert_allclose(model.features @ model.matrix(theta), problem.output(theta), rtol=1e-13)
    assert np.array_equal(model.theta(model.matrix(theta)), theta)


def test_the_gram_matrix_of_dense_and_sparse_features(rng):
    A = rng.standard_normal((30, 4)) * (rng.uniform(size=(30, 4)) < 0.5)
    w = rng.uniform(size=30)
    exact = A.T @ np.diag(w) @ A
    assert_allclose(weighted_gram(A, w), exact, rtol=1e-13, atol=1e-15)
    assert_allclose(weighted_gram(scipy.sparse.csr_array(A), w), exact, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("weight", [0.0, 0.1])
def test_it_is_symmetric_and_positive_for_softmax(rng, weight):
    """Also where a feature is always zero and nothing is penalised."""
    X = rng.standard_normal((40, 5))
    X[:, 2] = 0.0
    problem = softmax_problem(X, np.eye(3)[rng.integers(3, size=40)], weight)
    solve = gram_preconditioner(problem, rng.standard_normal(problem.size))
    a, b = rng.standard_normal((2, problem.size))
    assert_allclose(
        a @ solve(b), b @ solve(a), rtol=1e-4
    )  # single precision, of which much cancels
    assert a @ solve(a) > 0


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_a_selection_stands_for_all_samples(rng, reduction, monkeypatch):
    X, C = rng.standard_normal((600, 5)), np.eye(3)[rng.integers(3, size=600)]
    problem = softmax_problem(X, C, weight=0.1, reduction=reduction)
    theta, v = rng.standard_normal((2, problem.size))
    all_samples = gram_preconditioner(problem, theta)(v)
    monkeypatch.setattr(module, "FEWEST_SAMPLES", 300)
    monkeypatch.setattr(module, "SAMPLES_A_COLUMN", 1)
    half = gram_preconditioner(softmax_problem(X, C, 0.1, reduction=reduction), theta)(v)
    assert norm(half - all_samples) < 0.3 * norm(all_samples)
