"""A chain of phases: value, gradient, Gauss–Newton and Hessian products."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore import Data, Phase, Problem
from occore.checks import check_problem, raise_on_failure
from occore.testing.models import Tanh, decay
from occore_continuous.control_spaces.piecewise_constant import PiecewiseConstant
from occore_continuous.discretizations.forward_euler import ForwardEuler
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.linear import Linear
from occore_least_squares.tikhonov import Tikhonov
from occore_single_layer.random_layer import RandomLayer


@pytest.fixture
def problem(rng) -> Problem:
    """Static opening 3 → 4, four Euler layers in the same width, static closing 4 → 2."""
    phases = (
        Phase("opening", Tanh((3,), 4)),
        Phase(
            "hidden", Tanh((4,), 4), ForwardEuler(), 4, 2.0, space=PiecewiseConstant(intervals=2)
        ),
        Phase("closing", Linear((4,), 2)),
    )
    data = Data(rng.standard_normal((6, 3)), rng.standard_normal((6, 2)))
    return Problem(phases, LeastSquares() + 0.3 * Tikhonov(), data)


@pytest.fixture
def theta(problem, rng):
    return rng.standard_normal(problem.size)


def test_the_value_is_the_formula_written_out(problem, theta):
    u = problem.unflatten(theta)
    x = np.tanh(problem.data.inputs @ u["opening"]["K"].T + u["opening"]["b"])
    for step in range(4):
        K, b = u["hidden"]["K"][step // 2], u["hidden"]["b"][step // 2]
        x = x + 0.5 * np.tanh(x @ K.T + b)
    x = x @ u["closing"]["W"].T + u["closing"]["b"]
    value = np.sum((x - problem.data.targets) ** 2) / 2 + 0.3 * theta @ theta / 2
    assert_allclose(problem.value(theta), value, rtol=1e-14)


def test_every_part_passes_the_ladder(problem, theta, rng):
    rows = check_problem(problem, theta, rng)
    raise_on_failure(rows)
    assert {row.subject for row in rows} == {
        "opening",
        "hidden: dynamics",
        "hidden: step",
        "hidden: all steps",
        "closing",
        "objective",
    }


def test_the_gradient_agrees_with_complex_step(problem, theta):
    _, gradient = problem.value_and_gradient(theta)
    for k in range(0, problem.size, 7):
        moved = theta.astype(complex)
        moved[k] += 1e-30j
        u = problem.unflatten(moved)
        x = problem.data.inputs
        for phase in problem.phases:
            x = phase(x, u[phase.name])
        r = x - problem.data.targets
        derivative = (np.sum(r * r) / 2 + 0.3 * np.sum(moved * moved) / 2).imag / 1e-30
        assert_allclose(gradient[k], derivative, rtol=1e-13, atol=1e-13)


def test_the_hessian_is_symmetric_and_gauss_newton_positive(problem, theta, rng):
    v, w = rng.standard_normal((2, problem.size))
    left, right = w @ problem.hessian_product(theta, v), v @ problem.hessian_product(theta, w)
    assert_allclose(left, right, rtol=1e-12)
    assert v @ problem.gauss_newton_product(theta, v) > 0


def test_residual_and_jacobian_belong_to_the_value(problem, theta, rng):
    r, J = problem.residual(theta), problem.jacobian(theta)
    assert_allclose(r @ r / 2, problem.value(theta), rtol=1e-14)
    assert_allclose(J.residual_vjp(r), problem.value_and_gradient(theta)[1], rtol=1e-12)
    v, w = rng.standard_normal(problem.size), rng.standard_normal(r.size)
    assert_allclose(w @ J.residual_jvp(v), v @ J.residual_vjp(w), rtol=1e-13)
    product = J.residual_vjp(J.residual_jvp(v))
    assert_allclose(product, problem.gauss_newton_product(theta, v), rtol=1e-12)


def test_a_gradient_stays_right_after_another_evaluation(problem, theta, rng):
    first = problem.at(theta)
    before = first.gradient()
    problem.at(rng.standard_normal(problem.size)).gradient()
    assert np.array_equal(first.gradient(), before)


def test_value_and_gradient_are_sums_over_samples(problem, theta):
    parts = [problem.subset(np.array([k])) for k in range(problem.data.samples)]
    penalty = 0.3 * theta @ theta / 2
    values = [part.value(theta) - penalty for part in parts]
    gradients = [part.value_and_gradient(theta)[1] - 0.3 * theta for part in parts]
    assert_allclose(sum(values) + penalty, problem.value(theta), rtol=1e-14)
    assert_allclose(
        sum(gradients) + 0.3 * theta, problem.value_and_gradient(theta)[1], rtol=1e-12, atol=1e-13
    )


def test_initial_controls_draw_each_layer_on_its_own(problem):
    a = problem.initial_controls(np.random.default_rng(1))
    b = problem.initial_controls(np.random.default_rng(1))
    K = problem.unflatten(a)["hidden"]["K"]
    assert np.array_equal(a, b)
    assert not np.array_equal(K[0], K[1])


def test_single_precision_stays_single(problem, theta):
    single = Problem(problem.phases, problem.objective, problem.data.astype(np.dtype("float32")))
    _, gradient = single.value_and_gradient(theta.astype(np.float32))
    assert gradient.dtype == np.float32
    assert_allclose(gradient, problem.value_and_gradient(theta)[1], rtol=2e-4, atol=1e-4)


def test_sweeps_over_some_samples_count_as_their_share(problem, theta):
    two = problem.subset(np.array([4, 1]))
    at = two.at(theta)
    at.gradient()
    at.gauss_newton_product(theta)
    assert vars(problem.counts) == {"forward": 2 / 6, "tangent": 2 / 6, "adjoint": 4 / 6}
    two.subset(np.array([1])).smooth_part.value(theta)  # one sample of the six
    problem.value(theta)
    assert problem.counts.forward == 2 / 6 + 1 / 6 + 1
    assert_allclose(problem.counts.work, 1.5 + 2 / 6 + 4 / 6)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_minibatches_are_unbiased(problem, theta, reduction):
    """Over all pairs of samples, which are equally likely, they are right in the mean."""
    whole = replace(problem, objective=LeastSquares(reduction) + 0.3 * Tikhonov())
    pairs = [np.array(pair) for pair in combinations(range(whole.data.samples), 2)]
    found = [whole.minibatch(pair).value_and_gradient(theta) for pair in pairs]
    value, gradient = whole.value_and_gradient(theta)
    assert_allclose(np.mean([v for v, _ in found]), value, rtol=1e-13)
    assert_allclose(np.mean([g for _, g in found], axis=0), gradient, rtol=1e-11, atol=1e-13)
    assert np.std([v for v, _ in found]) > 0.01 * value


def test_layers_without_controls_before_the_first_with_some_are_evaluated_once(rng):
    """Random features never change; neither do those of an integrated phase without controls."""
    layer = RandomLayer((3,), 6, "tanh", seed=5)
    decay_phase = Phase("decay", decay(), ForwardEuler(), 2, 0.5, space=PiecewiseConstant())
    phases = (Phase("random", layer), decay_phase, Phase("hidden", Tanh((6,), 4)))
    data = Data(rng.standard_normal((9, 3)), rng.standard_normal((9, 2)))
    whole = Problem((*phases, Phase("closing", Linear((4,), 2))), LeastSquares(), data)
    part, features = whole.controlled_part, (1 - 0.25) ** 2 * layer(0.0, data.inputs, {})
    assert part is whole.controlled_part
    assert [phase.name for phase in part.phases] == ["hidden", "closing"]
    assert_allclose(part.data.inputs, features, rtol=1e-14)

    theta = rng.standard_normal(whole.size)
    assert whole.layout.shapes == part.layout.shapes
    u = whole.unflatten(theta)
    hidden = np.tanh(features @ u["hidden"]["K"].T + u["hidden"]["b"])
    end = hidden @ u["closing"]["W"].T + u["closing"]["b"]
    assert_allclose(whole.output(theta), end, rtol=1e-13)
    assert_allclose(whole.output(theta, data.inputs[:2]), end[:2], rtol=1e-13)
    assert_allclose(whole.value(theta), np.sum((end - data.targets) ** 2) / 2, rtol=1e-13)
    assert whole.counts.forward == part.counts.forward == 3
    raise_on_failure(check_problem(whole, theta, rng))
