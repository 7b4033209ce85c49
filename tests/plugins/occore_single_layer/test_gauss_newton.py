"""Gauss–Newton and Levenberg–Marquardt: inner solvers, convergence, counts, structure."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore import Data, Phase, Problem, Status, StructureError
from occore_classification.conjugate_gradients import model_step
from occore_classification.newton_cg import NewtonCG
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.linear import Linear
from occore_single_layer.dense import Dense
from occore_single_layer.gauss_newton import GaussNewton
from occore_single_layer.levenberg_marquardt import LevenbergMarquardt
from occore_single_layer.lsqr_step import lsqr_step
from tests.plugins.occore_single_layer.conftest import classification, network, regression, solve

OPTIMIZERS = [GaussNewton, LevenbergMarquardt]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("inner", ["cg", "lsqr"])
def test_they_end_where_the_gradient_vanishes(optimizer, inner, rng):
    problem = regression(rng, noise=0.1)
    theta = problem.initial_controls(rng)
    method = optimizer(inner=inner, tolerance=1e-9, max_iterations=500)
    theta, state, status = solve(method, problem, theta)
    assert status is Status.CONVERGED
    assert np.linalg.norm(problem.value_and_gradient(theta)[1]) <= 1e-9 * max(
        1, state.initial_gradient_norm
    )
    curvature = np.linalg.eigvalsh(
        np.stack([problem.hessian_product(theta, e) for e in np.eye(problem.size)])
    )
    assert curvature[0] > 0  # a minimum, though products left out the second derivatives


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_cross_entropy(optimizer, rng):
    problem = classification(rng)
    method = optimizer(tolerance=1e-8, max_iterations=500)
    _, _, status = solve(method, problem, problem.initial_controls(rng))
    assert status is Status.CONVERGED


@pytest.mark.parametrize("damping", [0.0, 0.3])
@pytest.mark.parametrize("radius", [np.inf, 0.2, 1e-3])
def test_lsqr_gives_the_step_of_conjugate_gradients(radius, damping, rng):
    """The same Krylov space, the same minimiser in it and the same border."""
    problem = regression(rng, width=3)
    at = problem.at(rng.standard_normal(problem.size))
    options = {"radius": radius, "accuracy": 1e-9, "max_iterations": 200}
    mine = lsqr_step(at, damping=damping, **options)
    theirs = model_step(
        lambda v: at.gauss_newton_product(v) + damping * v, at.gradient(), **options
    )
    assert mine.on_border == theirs.on_border
    assert_allclose(mine.p, theirs.p, rtol=1e-5, atol=1e-8)
    assert_allclose([mine.length, mine.decrease], [theirs.length, theirs.decrease], rtol=1e-7)


def test_the_residual_decides_the_rate(rng):
    """Superlinear without noise; with it linear, where Newton's method stays fast."""
    empty = network(LeastSquares(), rng.standard_normal((40, 2)), np.zeros((40, 1)), 2)
    truth = rng.standard_normal(empty.size)
    exact = empty.output(truth)
    start = truth + 0.1 * rng.standard_normal(truth.shape)

    def run(method, targets):
        problem = replace(empty, data=replace(empty.data, targets=targets))
        return solve(method(tolerance=1e-10, max_iterations=100), problem, start)

    theta, state, status = run(GaussNewton, exact)
    assert status is Status.CONVERGED
    assert_allclose(theta, truth, atol=1e-8)
    assert state.iteration < 15
    noisy = exact + 0.1 * rng.standard_normal(exact.shape)
    assert run(GaussNewton, noisy)[2] is Status.ITERATION_LIMIT
    assert run(NewtonCG, noisy)[2] is Status.CONVERGED


def test_the_counts_of_a_step(rng):
    problem = regression(rng)
    theta = problem.initial_controls(rng)
    method, counts = GaussNewton(max_iterations=20), problem.counts
    state = method.init(problem, theta)
    while method.finished(problem, theta, state) is None:
        theta, state = method.step(problem, theta, state)
    assert counts.tangent == state.inner_iterations
    assert counts.adjoint == 1 + state.iteration + state.inner_iterations


def test_damping_falls_by_a_third_at_most_and_grows_faster_and_faster(rng):
    problem = regression(rng)
    theta = problem.initial_controls(rng)
    method = LevenbergMarquardt(first_damping=1e-8)
    theta, state = method.step(problem, theta, method.init(problem, theta))
    rejected = 0
    for _ in range(40):
        new, after = method.step(problem, theta, state)
        if np.array_equal(new, theta):
            rejected += 1
            assert after.damping == state.growth * state.damping
            assert after.growth == 2 * state.growth
        else:
            assert after.value < state.value
            assert state.damping / 3 <= after.damping * (1 + 1e-12)
            assert after.damping <= 2 * state.damping
            assert after.growth == 2
        theta, state = new, after
    assert rejected > 0


def test_lsqr_needs_a_sum_of_squares(rng):
    problem = classification(rng)
    for optimizer in OPTIMIZERS:
        with pytest.raises(StructureError, match="SoftmaxCrossEntropy"):
            optimizer(inner="lsqr").init(problem, problem.initial_controls(rng))


def test_single_precision_stays(rng):
    x = rng.standard_normal((20, 2)).astype(np.float32)
    phases = (Phase("hidden", Dense((2,), 3)), Phase("fit", Linear((3,), 1)))
    problem = Problem(phases, LeastSquares("mean"), Data(x, np.sin(x[:, :1])))
    theta = problem.initial_controls(rng)
    for inner in ("cg", "lsqr"):
        found, _, _ = solve(GaussNewton(inner=inner, max_iterations=5), problem, theta)
        assert found.dtype == np.float32
