"""Ritz values of Hessians whose spectrum is known."""

import numpy as np
from numpy.testing import assert_allclose

from occore_classification.lanczos import curvature_certificate, ritz_values
from occore_classification.newton import hessian
from tests.plugins.occore_classification.conftest import bundled, logistic_problem, softmax_problem


def test_all_eigenvalues_of_a_small_hessian(rng):
    X = rng.standard_normal((50, 4))
    problem = logistic_problem(X, X[:, 0] > 0, weight=0.1)
    theta = rng.standard_normal(problem.size)
    assert_allclose(ritz_values(problem, theta), np.linalg.eigvalsh(hessian(problem, theta)))


def test_an_invariant_space_ends_the_recurrence(rng):
    """Inputs of rank one: the Hessian has few different eigenvalues."""
    X = np.outer(rng.standard_normal(30), np.ones(6))
    problem = softmax_problem(X, np.eye(2)[rng.integers(2, size=30)])
    values = ritz_values(problem, np.zeros(problem.size))
    assert len(values) < problem.size
    assert values[0] > -1e-15


def test_the_hessian_of_softmax_is_positive_semidefinite(rng):
    X, C, _ = bundled("digits")
    problem = softmax_problem(X, C, weight=1e-3, controls=("W", "b"))
    for theta in (np.zeros(problem.size), rng.standard_normal(problem.size)):
        found = curvature_certificate(problem, theta)
        # no eigenvalue is below the weight of the penalty, and a Ritz value is above the smallest
        assert found["smallest_ritz_value"] >= 1e-3 * (1 - 1e-9)
        assert found["largest_ritz_value"] > 0.01


def test_an_indefinite_hessian_is_told(rng):
    X = rng.standard_normal((50, 4))
    problem = logistic_problem(X, X[:, 0] > 0, weight=-0.5)
    assert curvature_certificate(problem, np.zeros(5))["smallest_ritz_value"] < -0.2
