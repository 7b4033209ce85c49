"""The exact tests of the course, Taylor orders, and the symbolic shift."""

import numpy as np
import pytest
import sympy
from numpy.testing import assert_allclose

from occore import Data, Example, InputError, TerminalObjective
from occore.symbolic import namespace as sp
from occore.symbolic.array import SymbolicArray
from occore.testing.conformance import conform
from occore_classification.softmax_cross_entropy import (
    SoftmaxCrossEntropy,
    shifted_exponentials,
    softmax,
)
from tests.plugins.occore_classification.conftest import softmax_problem


@pytest.fixture
def problem(rng):
    labels = rng.integers(3, size=40)
    return softmax_problem(rng.standard_normal((40, 4)), np.eye(3)[labels])


def test_the_value_is_a_scalar(problem, rng):
    value = problem.value(rng.standard_normal(problem.size))
    assert isinstance(value, float)
    assert np.shape(SoftmaxCrossEntropy()(np.zeros((4, 3)), np.eye(3)[[0, 1, 2, 0]])) == ()


def test_the_order_of_samples_does_not_matter(problem, rng):
    theta, order = rng.standard_normal(problem.size), rng.permutation(40)
    assert_allclose(problem.subset(order).value(theta), problem.value(theta), rtol=1e-14)


def test_repeated_samples_leave_the_mean(problem, rng):
    theta, twice = rng.standard_normal(problem.size), np.tile(np.arange(40), 2)
    assert_allclose(problem.subset(twice).value(theta), problem.value(theta), rtol=1e-14)


@pytest.mark.parametrize("power", range(0, 301, 50))
def test_it_is_finite_for_weights_up_to_1e300(power):
    """W = α I and Y = C, where every sample is right: the value falls to zero as α grows."""
    C, alpha = np.eye(4), 10.0**power
    problem = softmax_problem(C, C, bias=False)
    at = problem.at((alpha * np.eye(4)).ravel())
    assert_allclose(at.value, np.log1p(3 * np.exp(-alpha)), rtol=1e-14)
    assert np.all(np.isfinite(at.gradient()))
    assert np.all(np.isfinite(at.hessian_product(np.ones(16))))


def test_it_is_finite_where_every_sample_is_wrong():
    problem = softmax_problem(np.eye(3), np.eye(3)[[1, 2, 0]], bias=False)
    at = problem.at((1e300 * np.eye(3)).ravel())
    assert at.value == pytest.approx(1e300)
    assert np.all(np.isfinite(at.gradient()))


def test_taylor_orders_are_1_2_3(problem, rng):
    """E0 = |J(θ + h d) − J|, E1 with the gradient, E2 with the Hessian as well."""
    theta, d = rng.standard_normal((2, problem.size))
    at = problem.at(theta)
    first, second = at.gradient() @ d, d @ at.hessian_product(d)
    h = 2.0 ** -np.arange(4, 10)
    change = np.array([problem.value(theta + step * d) for step in h]) - at.value
    errors = [change, change - h * first, change - h * first - h**2 / 2 * second]
    slopes = [np.polyfit(np.log(h), np.log(np.abs(e)), 1)[0] for e in errors]
    # the next term bends the lines by some per cent at the largest step, h = 1/16
    assert_allclose(slopes, [1, 2, 3], atol=0.1)


def test_the_shift_cancels_and_the_hessian_is_that_of_sympy(rng):
    """3 classes, 2 features, 2 samples: E, ∇E and ∇²E with the shift left symbolic."""
    Y, C = rng.standard_normal((2, 2)), np.eye(3)[[2, 0]]
    w, shift = sympy.symbols("w:6", real=True), sympy.symbols("m:2", real=True)
    W = SymbolicArray(np.array(w, object).reshape(3, 2))
    x = SymbolicArray(np.array(Y, object)) @ W.T
    m = SymbolicArray(np.array(shift, object).reshape(2, 1))
    log_total = shifted_exponentials(x, m)[2]
    E = sp.sum(SymbolicArray(np.array(C, object)) * (log_total - x)).entries.item() / 2
    assert all(sympy.simplify(sympy.diff(E, s)) == 0 for s in shift)

    gradient, hessian = sympy.Matrix([E]).jacobian(w), sympy.hessian(E, w)
    evaluate = sympy.lambdify([w, shift], [E, gradient, hessian], cse=True)
    theta, d = rng.standard_normal((2, 6))
    value, g, H = evaluate(theta, rng.standard_normal(2))  # any shift will do
    at = softmax_problem(Y, C, bias=False).at(theta)
    assert_allclose(at.value, value, rtol=1e-12)
    assert_allclose(at.gradient(), g[0], rtol=1e-12, atol=1e-14)
    assert_allclose(at.hessian_product(d), H @ d, rtol=1e-12, atol=1e-14)


def test_weights_of_samples_are_sizes_of_rows(rng):
    x, C = rng.standard_normal((2, 3)), np.eye(3)[[1, 2]]
    term = SoftmaxCrossEntropy("sum")
    weighted = term(x, C * [[2.0], [3.0]])
    repeated = term(x[[0, 0, 1, 1, 1]], C[[0, 0, 1, 1, 1]])
    assert_allclose(weighted, repeated, rtol=1e-14)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_pixels_are_classified_like_samples(reduction, rng):
    """A picture of 2 × 3 pixels is six samples; the whole derivative ladder holds on the grid."""
    term = SoftmaxCrossEntropy(reduction)
    x, C = rng.standard_normal((6, 4)), np.eye(4)[rng.integers(4, size=6)]
    picture = Example(
        term, x=x.reshape(1, 2, 3, 4), target=C.reshape(1, 2, 3, 4), value=term(x, C), rtol=1e-14
    )
    assert conform("objective", picture) == []
    gradient = term.linearize(picture.x, picture.target)[1].gradient()
    assert_allclose(gradient.reshape(6, 4), term.linearize(x, C)[1].gradient(), rtol=1e-14)
    decision = term.decide
    assert decision is not None
    assert decision(picture.x).shape == (1, 2, 3)


def test_probabilities_do_not_overflow():
    p = softmax(np.array([[1e300, -1e300, 1e300]]))
    assert_allclose(p, [[0.5, 0.0, 0.5]])


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (np.ones((3, 1)), "take logistic"),
        (np.array([[-1.0, 2.0]]), "negative entries"),
        (np.ones((3, 2, 1)), r"shape \(3, 2, 1\)"),
    ],
)
def test_targets_that_do_not_weigh_classes_are_refused(targets, message):
    term: TerminalObjective = SoftmaxCrossEntropy()
    with pytest.raises(InputError, match=message):
        term.encode_targets(Data(np.zeros((len(targets), 1)), targets))
