"""Sample average approximation: which samples, what they cost, where it ends, resuming."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

import occore
from occore import Data, Example, Phase, Problem, Status, StructureError
from occore.testing.optimizer import exact_resume, no_traces
from occore_classification.gradient_descent import GradientDescent
from occore_classification.lbfgs import LBFGS
from occore_classification.softmax_cross_entropy import SoftmaxCrossEntropy
from occore_least_squares.cgls import CGLS
from occore_least_squares.linear import Linear
from occore_least_squares.tikhonov import Tikhonov
from occore_single_layer.levenberg_marquardt import LevenbergMarquardt
from occore_single_layer.saa import SAA


@pytest.fixture
def problem(rng) -> Problem:
    """Softmax on 60 samples of three classes, with a penalty: one minimiser."""
    inputs = rng.standard_normal((60, 4))
    noisy = inputs[:, :3] + rng.standard_normal((60, 3))
    data = Data(inputs, np.eye(3)[np.argmax(noisy, axis=1)])
    return Problem(
        (Phase("fit", Linear((4,), 3)),), SoftmaxCrossEntropy() + 0.01 * Tikhonov(), data
    )


def solve(method, problem):
    theta = np.zeros(problem.size)
    state, sizes = method.init(problem, theta), []
    while (status := method.finished(problem, theta, state)) is None:
        theta, state = method.step(problem, theta, state)
        sizes.append(state.samples)
    return theta, sizes, status


def test_growing_samples_end_in_the_minimiser(problem):
    best, _, _ = solve(SAA(LBFGS(tolerance=1e-10), sample=60, steps=200), problem)
    method = SAA(LBFGS(tolerance=1e-10), sample=12, growth=1.5, steps=8)
    theta, sizes, status = solve(method, problem)
    assert sizes[:5] == [12, 18, 27, 41, 60]
    assert status is Status.CONVERGED
    assert_allclose(theta, best, atol=1e-7)


def test_a_constant_sample_that_is_kept_is_fitted(problem):
    """It settles at the minimiser of its own sample, not of all; drawn anew it does not settle."""
    method = SAA(LBFGS(), sample=15, growth=1.0, steps=50, max_iterations=4, resample=False)
    theta, _, status = solve(method, problem)
    order = np.random.default_rng([0]).permutation(60)
    part = problem.minibatch(order[:15])
    assert status is Status.ITERATION_LIMIT
    assert np.linalg.norm(part.value_and_gradient(theta)[1]) < 1e-5
    assert np.linalg.norm(problem.value_and_gradient(theta)[1]) > 1e-2
    other, _, _ = solve(replace(method, resample=True), problem)
    assert np.linalg.norm(part.value_and_gradient(other)[1]) > 1e-2


def test_a_sample_costs_its_share(problem):
    method = SAA(GradientDescent(growth=1.0), sample=15, growth=1.0, steps=1)
    theta = np.zeros(problem.size)
    state = method.init(problem, theta)
    _, state = method.step(problem, theta, state)
    # at the start of the method and at one trial of its line search at least
    assert problem.counts.work in [2 + 0.5 * k for k in range(2, 20)]
    assert state.value < 1.1


def test_a_sample_grows_without_overflow(problem):
    method = SAA(LBFGS(), sample=1, growth=10.0, max_iterations=5000)
    state = replace(method.init(problem, np.zeros(problem.size)), iteration=4000)
    _, state = method.step(problem, np.zeros(problem.size), state)
    assert state.samples == 60


@pytest.mark.parametrize("resample", [True, False])
def test_resumed_after_each_sample_it_ends_in_the_same_bits(problem, rng, resample):
    method = SAA(LBFGS(), sample=10, growth=1.4, steps=3, max_iterations=5, resample=resample)
    example = Example(method, problem=problem, theta=np.zeros(problem.size))
    exact_resume(example, rng)
    no_traces(example, rng)


@pytest.mark.parametrize("inner", ["cg", "cholesky"])
def test_the_damping_is_carried_to_the_next_sample(problem, rng, inner):
    method = SAA(LevenbergMarquardt(inner=inner), sample=20, growth=1.0, steps=1, max_iterations=4)
    theta = np.zeros(problem.size)
    theta, state = method.step(problem, theta, method.init(problem, theta))
    order = np.random.default_rng([0, 1]).permutation(60)
    part = problem.minibatch(order[:20])
    begun = replace(method.method.init(part, theta), damping=state.carried[0])
    expected, after = method.method.step(part, theta, begun)
    theta, state = method.step(problem, theta, state)
    assert_allclose(theta, expected, rtol=1e-12)
    assert_allclose(state.carried, [after.damping, after.growth], rtol=1e-12)
    example = Example(method, problem=problem, theta=np.zeros(problem.size))
    exact_resume(example, rng)
    no_traces(example, rng)


def test_the_method_says_what_it_needs(problem):
    with pytest.raises(StructureError, match=r"optimizer\.method: needs the structure"):
        SAA(CGLS()).init(problem, np.zeros(problem.size))


def test_the_method_is_a_table_of_the_case():
    path = "cases/04_single_layer/peaks5_saa.toml"
    method = occore.load_case(path, settings=["optimizer.method.memory=3"]).optimizer.make()
    assert method.method == LBFGS(memory=3)
    with pytest.raises(occore.InputError, match="Did you mean 'lbfgs'"):
        occore.load_case(path, settings=["optimizer.method.kind=lbfg"])
