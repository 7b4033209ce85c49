"""The Gram preconditioner: exact for least squares, the same for sparse and dense features."""

import numpy as np
import scipy.sparse
from numpy.testing import assert_allclose

from occore import Data, Phase, Problem, linear_model
from occore_classification import gram_preconditioner as module
from occore_classification.gram_preconditioner import gram_preconditioner, weighted_gram
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.linear import Linear
from occore_least_squares.tikhonov import Tikhonov


def test_it_inverts_the_hessian_of_least_squares(rng):
    data = Data(rng.standard_normal((30, 4)), rng.standard_normal((30, 3)))
    objective = 2.0 * LeastSquares() + 0.3 * Tikhonov(operator="first_difference", controls=("W",))
    problem = Problem((Phase("fit", Linear((4,), 3)),), objective, data)
    theta, v = rng.standard_normal((2, problem.size))
    solve = gram_preconditioner(problem, theta)
    assert_allclose(solve(problem.hessian_product(theta, v)), v, rtol=1e-9)
    assert gram_preconditioner(problem, theta) is solve


def test_theta_and_matrix_are_inverse(rng):
    data = Data(rng.standard_normal((5, 4)), rng.standard_normal((5, 3)))
    problem = Problem((Phase("fit", Linear((4,), 3)),), LeastSquares(), data)
    model, theta = linear_model(problem), rng.standard_normal(problem.size)
    assert_allclose(model.features @ model.matrix(theta), problem.output(theta), rtol=1e-13)
    assert np.array_equal(model.theta(model.matrix(theta)), theta)


def test_the_gram_matrix_is_summed_over_tiles(rng, monkeypatch):
    monkeypatch.setattr(module, "TILE", 7)
    A = rng.standard_normal((30, 4)) * (rng.uniform(size=(30, 4)) < 0.5)
    w = rng.uniform(size=30)
    exact = A.T @ np.diag(w) @ A
    assert_allclose(weighted_gram(A, w), exact, rtol=1e-13, atol=1e-15)
    assert_allclose(weighted_gram(scipy.sparse.csr_array(A), w), exact, rtol=1e-13, atol=1e-15)
