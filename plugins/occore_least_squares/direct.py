"""What direct solvers share: one solve, then value and gradient at the solution."""

from collections.abc import Callable

import numpy as np

from occore import (
    Array,
    Data,
    Example,
    Optimizer,
    Phase,
    Problem,
    State,
    dense_least_squares,
    norm,
)


def evaluate(problem: Problem, theta: Array, iteration: int) -> State:
    """The state at θ."""
    value, gradient = problem.value_and_gradient(theta)
    return State(iteration, value, norm(gradient), float("nan"))


def solve(problem: Problem, method: Callable[[Array, Array], Array]) -> tuple[Array, State]:
    """θ from the matrices of the problem, by a method for min ‖A Θ − B‖."""
    system = dense_least_squares(problem)
    theta = system.theta(method(*system.stacked()))
    return theta, evaluate(problem, theta, 1)


def line(optimizer: Optimizer) -> Example:
    """Fit of a line through (0, 1), (1, 3), (2, 5): y = 1 + 2 x, by hand."""
    from occore_least_squares.least_squares import LeastSquares
    from occore_least_squares.linear import Linear

    data = Data(np.array([[0.0], [1.0], [2.0]]), np.array([[1.0], [3.0], [5.0]]))
    problem = Problem((Phase("fit", Linear((1,), 1)),), LeastSquares(), data)
    return Example(optimizer, problem=problem, theta=[0.0, 0.0], value=[2.0, 1.0], rtol=1e-10)
