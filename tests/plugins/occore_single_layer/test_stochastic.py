"""What the stochastic methods share: mini-batches, what an epoch reports, resuming, work."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore import Data, Example, Phase, Problem
from occore.testing.optimizer import exact_resume, no_traces
from occore_classification.softmax_cross_entropy import SoftmaxCrossEntropy
from occore_least_squares.linear import Linear
from occore_least_squares.tikhonov import Tikhonov
from occore_single_layer.adagrad import AdaGrad
from occore_single_layer.adam import Adam
from occore_single_layer.dense import Dense
from occore_single_layer.sgd import SGD

METHODS = {
    "sgd": SGD(momentum=0.9, schedule="cosine", warm_up=1.0),
    "nesterov": SGD(momentum=0.9, nesterov=True, schedule="step"),
    "adagrad": AdaGrad(schedule="inverse"),
    "adam": Adam(learning_rate=0.01, weight_decay=0.1, schedule="exponential"),
}


@pytest.fixture
def problem(rng) -> Problem:
    """A small network on 23 samples of three classes, so that mini-batches of 5 leave one of 3."""
    inputs = rng.standard_normal((23, 4))
    targets = np.eye(3)[np.argmax(inputs[:, :3], axis=1)]
    phases = (Phase("hidden", Dense((4,), 6)), Phase("out", Linear((6,), 3)))
    return Problem(phases, SoftmaxCrossEntropy() + 0.01 * Tikhonov(), Data(inputs, targets))


@pytest.fixture
def theta(problem, rng):
    return problem.initial_controls(rng)


@pytest.mark.parametrize("name", METHODS)
def test_resumed_after_each_epoch_it_ends_in_the_same_bits(problem, theta, rng, name):
    example = Example(
        replace(METHODS[name], batch=5, max_iterations=5), problem=problem, theta=theta
    )
    exact_resume(example, rng)
    no_traces(example, rng)


@pytest.mark.parametrize("name", METHODS)
def test_the_objective_falls(problem, theta, name):
    method = replace(METHODS[name], batch=5, max_iterations=40, learning_rate=0.05)
    state = first = method.init(problem, theta)
    while method.finished(problem, theta, state) is None:
        theta, state = method.step(problem, theta, state)
    assert problem.value(theta) < 0.8 * first.value
    assert state.value == pytest.approx(problem.value(theta), rel=0.1)  # the mean of an epoch


def test_an_epoch_written_out(problem, theta):
    """Two epochs of plain steps; objective and gradient are means over the mini-batches."""
    method = SGD(batch=5, learning_rate=0.1, seed=4)
    state, expected = method.init(problem, theta), theta.copy()
    for epoch in range(2):
        order = np.random.default_rng([4, epoch]).permutation(23)
        value, mean = 0.0, np.zeros_like(theta)
        for start in range(0, 23, 5):
            batch = order[start : start + 5]
            part = replace(problem, data=problem.data.subset(batch))
            one, g = part.value_and_gradient(expected)
            value, mean = value + one * len(batch) / 23, mean + g * len(batch) / 23
            expected = expected - 0.1 * g
        theta, state = method.step(problem, theta, state)
        assert_allclose(theta, expected, rtol=1e-12, atol=1e-14)
        assert state.value == pytest.approx(value, rel=1e-13)
        assert state.gradient_norm == pytest.approx(np.linalg.norm(mean), rel=1e-12)


def test_a_batch_of_all_is_a_step_with_the_full_gradient(problem, theta):
    """The method of Rumelhart, Hinton and Williams, written out; J is that before the step."""
    method = SGD(batch=23, learning_rate=0.1, momentum=0.9)
    state, v = method.init(problem, theta), np.zeros_like(theta)
    for _ in range(3):
        value, g = problem.value_and_gradient(theta)
        v = 0.9 * v - 0.1 * g
        after, state = method.step(problem, theta, state)
        assert_allclose(after, theta + v, rtol=1e-15, atol=1e-16)
        assert state.value == value
        theta = after


def test_an_epoch_is_two_units_of_work(problem, theta):
    method = SGD(batch=5)
    state = method.init(problem, theta)
    assert problem.counts.work == 2
    theta, state = method.step(problem, theta, state)
    assert problem.counts.work == pytest.approx(4, rel=1e-14)
    exact = replace(method, exact_values=True)
    theta, state = exact.step(problem, theta, state)
    assert problem.counts.work == pytest.approx(8, rel=1e-14)
    assert state.value == problem.value(theta)


def test_rates_follow_the_schedule_within_an_epoch(problem, theta):
    method = SGD(batch=23, learning_rate=0.5, schedule="step", half_life=1.0, warm_up=2.0)
    state, rates = method.init(problem, theta), []
    for _ in range(4):
        theta, state = method.step(problem, theta, state)
        rates.append(state.step_length)
    assert rates == [0.25, 0.25, 0.125, 0.0625]
