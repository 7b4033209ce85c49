"""L-BFGS on Rosenbrock's function."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore import Data, Evaluation, Phase, Problem, Products, Status
from occore.dynamics import Dynamics
from occore.layout import Layout
from occore_classification.lbfgs import LBFGS
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
    right = Evaluation.gradient
    monkeypatch.setattr(Evaluation, "gradient", lambda self: -right(self))
    optimizer, theta = LBFGS(), np.array([-1.2, 1.0])
    theta, state = optimizer.step(problem, theta, optimizer.init(problem, theta))
    assert optimizer.finished(problem, theta, state) is Status.LINE_SEARCH_FAILED
    assert_allclose(theta, [-1.2, 1.0])
