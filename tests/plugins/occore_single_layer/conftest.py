"""Small single layer networks, extreme learning machines, and loops around an optimizer."""

import numpy as np
import pytest

from occore import Data, Phase, Problem
from occore_classification.softmax_cross_entropy import SoftmaxCrossEntropy
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.linear import Linear
from occore_least_squares.tikhonov import Tikhonov
from occore_single_layer.dense import Dense
from occore_single_layer.random_layer import RandomLayer


def network(objective, inputs, targets, width):
    """A tanh layer and a linear one."""
    phases = (
        Phase("hidden", Dense(inputs.shape[1:], width)),
        Phase("fit", Linear((width,), targets.shape[1])),
    )
    return Problem(phases, objective, Data(inputs, targets))


def regression(rng, samples=40, width=4, outputs=2, weight=1e-3, noise=0.0):
    """Least squares for data of a network of the same shape, with a ridge."""
    inputs = rng.standard_normal((samples, 2))
    objective = LeastSquares("mean")
    if weight:
        objective = objective + weight * Tikhonov()
    problem = network(objective, inputs, np.zeros((samples, outputs)), width)
    made = problem.output(rng.standard_normal(problem.size))
    targets = made + noise * rng.standard_normal(made.shape)
    return network(objective, inputs, targets, width)


def classification(rng, samples=60, width=4, weight=1e-3):
    """Three classes, by the angle of a point, and softmax with a ridge."""
    inputs = rng.standard_normal((samples, 2))
    label = (3 * (np.arctan2(*inputs.T) / (2 * np.pi) + 0.5)).astype(int) % 3
    objective = SoftmaxCrossEntropy() + weight * Tikhonov()
    return network(objective, inputs, np.eye(3)[label], width)


def extreme_learning(layer: RandomLayer, data: Data, weight=0.0, bias=False) -> Problem:
    """½‖W σ(K x + b) + c − target‖² + (weight/2)‖W‖², with the bias c where it is asked for."""
    closing = Linear((layer.width,), data.targets.shape[1], bias)
    objective = LeastSquares()
    if weight:
        objective = objective + weight * Tikhonov(controls=("W",))
    return Problem((Phase("hidden", layer), Phase("fit", closing)), objective, data)


def solve(optimizer, problem, theta=None):
    """(θ, state, status) at the end."""
    theta = np.zeros(problem.size) if theta is None else theta
    state = optimizer.init(problem, theta)
    while (status := optimizer.finished(problem, theta, state)) is None:
        theta, state = optimizer.step(problem, theta, state)
    return theta, state, status


@pytest.fixture(name="extreme_learning", scope="session")
def extreme_learning_fixture():
    return extreme_learning


@pytest.fixture(name="solve", scope="session")
def solve_fixture():
    return lambda *arguments: solve(*arguments)[0]


@pytest.fixture
def iterates():
    """iterates(method, count): w after each of the first iterations on J(w) = ½ w², from w = 1."""

    def run(method, count):
        data = Data(np.array([[1.0]]), np.array([[0.0]]))
        problem = Problem((Phase("fit", Linear((1,), 1, bias=False)),), LeastSquares(), data)
        theta = np.ones(1)
        state, found = method.init(problem, theta), []
        for _ in range(count):
            theta, state = method.step(problem, theta, state)
            found.append(float(theta[0]))
        return found

    return run
