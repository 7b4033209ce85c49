"""Least-squares problems, and the loop that solves them."""

import numpy as np
import pytest

from occore import Data, Optimizer, Phase, Problem
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.linear import Linear


def linear_problem(A, B, bias=False, objective=None) -> Problem:
    """½‖W A + b − B‖² and further terms."""
    phase = Phase("fit", Linear(A.shape[1:], B.shape[1], bias))
    return Problem((phase,), objective or LeastSquares(), Data(A, B))


def solve(optimizer: Optimizer, problem: Problem, theta=None):
    """θ, the last state and the status."""
    theta = np.zeros(problem.size, problem.dtype) if theta is None else theta
    state = optimizer.init(problem, theta)
    while (status := optimizer.finished(problem, theta, state)) is None:
        theta, state = optimizer.step(problem, theta, state)
    return theta, state, status


@pytest.fixture(name="linear_problem", scope="session")
def linear_problem_fixture():
    return linear_problem


@pytest.fixture(name="solve", scope="session")
def solve_fixture():
    return solve


@pytest.fixture
def blurred():
    """An ill-posed system: a Gaussian blur (64, 64), a smooth solution, and data without noise."""
    t = (np.arange(64) + 0.5) / 64
    A = np.exp(-((t[:, None] - t) ** 2) / (2 * 0.05**2)) / (64 * 0.05 * np.sqrt(2 * np.pi))
    x = np.exp(-(((t - 0.3) / 0.08) ** 2)) + 0.6 * np.exp(-(((t - 0.7) / 0.12) ** 2))
    return A, x, A @ x
