"""L-BFGS and its line search."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore import Data, Phase, Problem, Products, Status
from occore.dynamics import Dynamics
from occore.layout import Layout
from occore_classification.lbfgs import LBFGS
from occore_classification.line_search import CURVATURE, SUFFICIENT_DECREASE, Trial, strong_wolfe
from occore_least_squares.least_squares import LeastSquares


class Rosenbrock(Dynamics):
    """Residuals (√2 · 10 (b − a²), √2 (1 − a)): the objective is Rosenbrock's function."""

    controls = Layout({"c": (2,)})
    output_shape = (2,)

    def __call__(self, t, x, u):
        a, b = u["c"]
        return np.sqrt(2) * np.array([[10 * (b - a**2), 1 - a]])

    def linearize(self, t, x, u):
        a, _ = u["c"]
        J = np.sqrt(2) * np.array([[-20 * a, 10.0], [-1.0, 0.0]])
        return self(t, x, u), Products(
            jvp=lambda dx, du: (J @ du["c"])[None],
            vjp=lambda py: (np.zeros((1, 1)), {"c": J.T @ py[0]}),
        )


@pytest.fixture
def problem():
    data = Data(np.zeros((1, 1)), np.zeros((1, 2)))
    return Problem((Phase("rosenbrock", Rosenbrock()),), LeastSquares(), data)


def test_rosenbrock(problem):
    optimizer, theta = LBFGS(tolerance=1e-10), np.array([-1.2, 1.0])
    state = optimizer.init(problem, theta)
    while (status := optimizer.finished(problem, theta, state)) is None:
        theta, state = optimizer.step(problem, theta, state)
    assert status is Status.CONVERGED
    assert_allclose(theta, [1.0, 1.0], rtol=1e-7)
    assert state.iteration < 60


def test_a_gradient_of_the_wrong_sign_is_a_failed_line_search(problem, monkeypatch):
    right = Problem.value_and_gradient

    def wrong(self, theta):
        value, gradient = right(self, theta)
        return value, -gradient

    monkeypatch.setattr(Problem, "value_and_gradient", wrong)
    optimizer, theta = LBFGS(), np.array([-1.2, 1.0])
    theta, state = optimizer.step(problem, theta, optimizer.init(problem, theta))
    assert optimizer.finished(problem, theta, state) is Status.LINE_SEARCH_FAILED
    assert_allclose(theta, [-1.2, 1.0])


@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 10.0, 1000.0])
@pytest.mark.parametrize(
    ("value", "slope"),
    [
        (lambda a: (a - 2) ** 2, lambda a: 2 * (a - 2)),
        (lambda a: -a / (a**2 + 2), lambda a: (a**2 - 2) / (a**2 + 2) ** 2),
        (lambda a: np.exp(-a) + 0.1 * a, lambda a: -np.exp(-a) + 0.1),
    ],
    ids=["parabola", "Moré-Thuente", "exponential"],
)
def test_the_strong_wolfe_conditions_hold(value, slope, first):
    start = Trial(0.0, value(0.0), slope(0.0))
    trial = strong_wolfe(lambda a: Trial(a, value(a), slope(a)), start, first)
    assert trial is not None
    assert trial.value <= start.value + SUFFICIENT_DECREASE * trial.alpha * start.slope
    assert abs(trial.slope) <= CURVATURE * abs(start.slope)


def test_a_line_without_decrease_gives_none():
    assert strong_wolfe(lambda a: Trial(a, a, 1.0), Trial(0.0, 0.0, -1.0), 1.0) is None
