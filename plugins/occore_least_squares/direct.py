"""What direct solvers share: one solve, then value and gradient at the solution."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from occore import (
    Array,
    Data,
    Example,
    Optimizer,
    Phase,
    Problem,
    State,
    Status,
    Structure,
    dense_least_squares,
    norm,
    overridable,
)


@dataclass(frozen=True)
class DirectSolver(Optimizer[State]):
    """Solves in one iteration a problem that hands out its matrices."""

    resume: ClassVar[Literal["exact", "restart"]] = "exact"
    requires: ClassVar[tuple[Structure, ...]] = ("dense_least_squares",)
    state: ClassVar[type[State]] = State

    @abstractmethod
    def minimise(self, A: Array, B: Array) -> Array:
        """The Θ (n, k) that minimises ‖A Θ − B‖, for A (m, n) and B (m, k)."""

    def init(self, problem: Problem, theta: Array) -> State:
        """Value and gradient at the start."""
        return _state(problem, theta, 0)

    def step(self, problem: Problem, theta: Array, state: State) -> tuple[Array, State]:
        """The solution."""
        system = dense_least_squares(problem)
        theta = system.theta(self.minimise(*system.stacked()))
        return theta, _state(problem, theta, 1)

    def finished(self, problem: Problem, theta: Array, state: State) -> Status | None:
        """After the one iteration."""
        return Status.SOLVED if state.iteration else None

    @classmethod
    @overridable
    def example(cls) -> Example:
        """A line through (0, 1), (1, 3), (2, 5): y = 1 + 2 x, by hand."""
        return line(cls())


def _state(problem: Problem, theta: Array, iteration: int) -> State:
    value, gradient = problem.value_and_gradient(theta)
    return State(iteration, value, norm(gradient), float("nan"))


def line(optimizer: Optimizer) -> Example:
    """Fit of a line through (0, 1), (1, 3), (2, 5): y = 1 + 2 x, by hand."""
    from occore_least_squares.least_squares import LeastSquares
    from occore_least_squares.linear import Linear

    data = Data(np.array([[0.0], [1.0], [2.0]]), np.array([[1.0], [3.0], [5.0]]))
    problem = Problem((Phase("fit", Linear((1,), 1)),), LeastSquares(), data)
    return Example(optimizer, problem=problem, theta=[0.0, 0.0], value=[2.0, 1.0], rtol=1e-10)
