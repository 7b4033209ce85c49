"""Stochastic diagonal Levenberg–Marquardt: its curvature against the exact one, its updates."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

import occore
from occore import Data, Example, Phase, Problem
from occore.testing.optimizer import exact_resume, no_traces
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.tikhonov import Tikhonov
from occore_single_layer.dense import Dense
from occore_single_layer.stochastic_diagonal_lm import StochasticDiagonalLM


@pytest.fixture(params=["sum", "mean"])
def problem(request, rng) -> Problem:
    """A small saturating network on 24 samples with two targets, with a penalty."""
    inputs = rng.standard_normal((24, 3))
    targets = np.sign(inputs[:, :2])
    phases = (Phase("hidden", Dense((3,), 4)), Phase("out", Dense((4,), 2, "scaled_tanh")))
    objective = LeastSquares(request.param) + 0.01 * Tikhonov()
    return Problem(phases, objective, Data(inputs, targets))


@pytest.fixture
def theta(problem, rng):
    return problem.initial_controls(rng) + 0.1 * rng.standard_normal(problem.size)


def exact_curvature(problem, theta):
    """The diagonal of the Gauss–Newton matrix, by its products with unit vectors."""
    at = problem.at(theta)
    return np.array([at.gauss_newton_product(e) @ e for e in np.eye(theta.size)])


@pytest.mark.parametrize("batch", [1, 5, 24])
def test_the_curvature_has_no_bias(problem, theta, batch, rng):
    """The mean of many estimates is the exact diagonal, to the noise of a mean of squares."""
    method = StochasticDiagonalLM(batch=batch, curvature_samples=20 if batch == 5 else 24)
    estimates = np.array([method.curvature(problem, theta, rng) for _ in range(100)])
    exact = exact_curvature(problem, theta)
    noise = estimates.std(axis=0) / 10
    assert np.all(np.abs(estimates.mean(axis=0) - exact) < 4.5 * noise + 1e-12)
    assert np.all(noise < 0.2 * exact)


def test_more_probes_less_noise(problem, theta, rng):
    spread = [
        np.std(
            [
                StochasticDiagonalLM(batch=24, probes=n).curvature(problem, theta, rng)
                for _ in range(40)
            ],
            axis=0,
        ).mean()
        for n in (1, 16)
    ]
    assert spread[1] == pytest.approx(spread[0] / 4, rel=0.35)


def test_an_epoch_written_out(problem, theta):
    """One curvature before the first update, one gradient for each pattern, in a random order."""
    method = StochasticDiagonalLM(learning_rate=0.1, damping=0.5, seed=3)
    state = method.init(problem, theta)
    after, state = method.step(problem, theta, state)
    rng = np.random.default_rng([3, 1, 1])
    h, expected = method.curvature(problem, theta, rng), theta.copy()
    for pattern in np.random.default_rng([3, 0]).permutation(24):
        g = problem.minibatch(np.array([pattern])).value_and_gradient(expected)[1]
        expected -= 0.1 * g / (h + 0.5)
    assert_allclose(after, expected, rtol=1e-12, atol=1e-14)
    assert_allclose(state.carried[0], h, rtol=1e-14)
    later = method.step(problem, after, state)[1]
    assert np.all(later.carried[0] != h)


def test_resumed_after_each_epoch_it_ends_in_the_same_bits(problem, theta, rng):
    method = StochasticDiagonalLM(batch=5, learning_rate=0.05, max_iterations=5)
    example = Example(method, problem=problem, theta=theta)
    exact_resume(example, rng)
    no_traces(example, rng)


def test_the_objective_falls_for_each_pattern(problem, theta):
    method = StochasticDiagonalLM(max_iterations=40, learning_rate=0.02, damping=0.1)
    method = replace(method, schedule="inverse", half_life=5.0)
    state = first = method.init(problem, theta)
    while method.finished(problem, theta, state) is None:
        theta, state = method.step(problem, theta, state)
    assert problem.value(theta) < 0.5 * first.value


def test_other_objectives_are_refused(tmp_path):
    settings = ["optimizer={kind='stochastic_diagonal_lm'}"]
    case = occore.load_case("cases/03_classification/digits.toml", settings=settings)
    with pytest.raises(occore.InputError, match="SoftmaxCrossEntropy of the objective is no sum"):
        case.build()
