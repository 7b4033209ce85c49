"""Extreme learning machines: random features and a linear layer."""

import numpy as np
import pytest

from occore import Data, Phase, Problem
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.linear import Linear
from occore_least_squares.tikhonov import Tikhonov
from occore_single_layer.random_layer import RandomLayer


def extreme_learning(layer: RandomLayer, data: Data, weight=0.0, bias=False) -> Problem:
    """½‖W σ(K x + b) + c − target‖² + (weight/2)‖W‖², with the bias c where it is asked for."""
    closing = Linear((layer.width,), data.targets.shape[1], bias)
    objective = LeastSquares()
    if weight:
        objective = objective + weight * Tikhonov(controls=("W",))
    return Problem((Phase("hidden", layer), Phase("fit", closing)), objective, data)


def solve(optimizer, problem, theta=None):
    """θ at the end."""
    theta = np.zeros(problem.size) if theta is None else theta
    state = optimizer.init(problem, theta)
    while optimizer.finished(problem, theta, state) is None:
        theta, state = optimizer.step(problem, theta, state)
    return theta


@pytest.fixture(name="extreme_learning", scope="session")
def extreme_learning_fixture():
    return extreme_learning


@pytest.fixture(name="solve", scope="session")
def solve_fixture():
    return solve
