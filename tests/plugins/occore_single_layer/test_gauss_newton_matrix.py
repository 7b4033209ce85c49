"""The Gauss–Newton matrix from derivatives of each sample: entries, sweeps, refusals, steps."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore import Data, InputError, Phase, Problem, Status, StructureError, shards
from occore_classification.softmax_cross_entropy import SoftmaxCrossEntropy
from occore_convolution.convolution import Convolution
from occore_least_squares.linear import Linear
from occore_single_layer.dense import Dense
from occore_single_layer.flatten import Flatten
from occore_single_layer.gauss_newton_matrix import cholesky_step, gauss_newton_matrix
from occore_single_layer.levenberg_marquardt import LevenbergMarquardt
from tests.plugins.occore_single_layer.conftest import classification, regression, solve


def matrix(at):
    size = at.problem.size
    return np.stack([at.gauss_newton_product(e) for e in np.eye(size)], axis=1)


@pytest.mark.parametrize(("make", "ranks"), [(regression, 2), (classification, 2)])
def test_it_is_that_of_the_products(make, ranks, rng):
    """Two outputs of least squares, and three classes, whose Hessian does not see the vector 1."""
    problem = make(rng)
    at = problem.at(rng.standard_normal(problem.size))
    before = replace(problem.counts)
    B = gauss_newton_matrix(at)
    assert problem.counts.adjoint == before.adjoint + ranks
    assert problem.counts.work == before.work + ranks
    assert_allclose(B, matrix(at), atol=1e-13 * np.max(abs(B)))


def test_a_picture_and_layers_without_controls_and_shards(rng, monkeypatch):
    monkeypatch.setattr(shards, "SHARD_BYTES", 500)
    phases = (
        Phase("flat", Flatten((2, 3))),
        Phase("first", Dense((6,), 4, bias=False)),
        Phase("second", Dense((4,), 4, activation="identity")),
        Phase("classes", Linear((4,), 3)),
    )
    data = Data(rng.standard_normal((40, 2, 3)), np.eye(3)[rng.integers(3, size=40)])
    problem = Problem(phases, SoftmaxCrossEntropy(), data)
    at = problem.at(rng.standard_normal(problem.size))
    assert not hasattr(at.sweeps, "parts")  # several shards
    B = gauss_newton_matrix(at)
    assert_allclose(B, matrix(at), atol=1e-13 * np.max(abs(B)))


def test_a_step_solves_the_damped_system(rng):
    problem = classification(rng)
    at = problem.at(rng.standard_normal(problem.size))
    B, g, mu = gauss_newton_matrix(at), at.gradient(), 0.1
    found = cholesky_step(B, g, mu)
    assert_allclose(B @ found.p + mu * found.p, -g, atol=1e-12)
    assert found.decrease == pytest.approx(-float(g @ found.p) / 2)


@pytest.mark.parametrize("make", [regression, classification])
def test_levenberg_marquardt_with_it_ends_where_the_gradient_vanishes(make, rng):
    problem = make(rng)
    method = LevenbergMarquardt(inner="cholesky", tolerance=1e-8, max_iterations=500)
    theta, state, status = solve(method, problem, problem.initial_controls(rng))
    assert status is Status.CONVERGED
    goal = 1e-8 * max(1, state.initial_gradient_norm)
    assert np.linalg.norm(problem.value_and_gradient(theta)[1]) <= goal


def test_a_rejected_step_costs_one_sweep(rng):
    """With next to no damping the first trials fail; the matrix is made once for all of them."""
    problem = regression(rng)
    theta = problem.initial_controls(rng)
    method, iteration = LevenbergMarquardt(inner="cholesky", first_damping=1e-12), 0
    state = method.init(problem, theta)
    trials = 0
    while method.finished(problem, theta, state) is None:
        before = replace(problem.counts)
        theta, state = method.step(problem, theta, state)
        assert problem.counts.adjoint == before.adjoint + 2 + 1
        trials += round(problem.counts.forward - before.forward)
        iteration += 1
    assert state.iteration == iteration
    assert trials > iteration


def test_what_has_no_derivative_of_each_sample_is_refused(rng):
    phases = (
        Phase("stencil", Convolution((3, 3, 1), 2)),
        Phase("flat", Flatten((3, 3, 2))),
        Phase("classes", Linear((18,), 2)),
    )
    data = Data(rng.standard_normal((4, 3, 3, 1)), np.eye(2)[[0, 1, 1, 0]])
    problem = Problem(phases, SoftmaxCrossEntropy(), data)
    method, theta = LevenbergMarquardt(inner="cholesky"), np.zeros(problem.size)
    with pytest.raises(StructureError, match=r"'stencil'.*\"cg\""):
        method.init(problem, theta)


def test_too_many_unknowns_are_refused(rng):
    problem = classification(rng, samples=5, width=600)
    method = LevenbergMarquardt(inner="cholesky")
    with pytest.raises(InputError, match=r'3603 unknowns.*"cg"'):
        method.init(problem, np.zeros(problem.size))
