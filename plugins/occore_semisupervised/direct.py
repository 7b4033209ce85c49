"""What the direct solvers of sparse quadratic problems share: one solve, then the value there."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from occore import (
    Array,
    Optimizer,
    Problem,
    SparseQuadratic,
    State,
    Status,
    Structure,
    norm,
    sparse_quadratic,
)


@dataclass(frozen=True)
class DirectSolver(Optimizer[State]):
    """Solves in one iteration a problem that hands out its sparse Hessian."""

    resume: ClassVar[Literal["exact", "restart"]] = "exact"
    requires: ClassVar[tuple[Structure, ...]] = ("sparse_quadratic",)
    state: ClassVar[type[State]] = State

    @abstractmethod
    def minimise(self, system: SparseQuadratic) -> Array:
        """The minimiser Θ (n, columns), or an approximation of it."""

    def init(self, problem: Problem, theta: Array) -> State:
        """Value and gradient at the start."""
        system = sparse_quadratic(problem)
        return _state(system, system.matrix(theta), 0)

    def step(self, problem: Problem, theta: Array, state: State) -> tuple[Array, State]:
        """The solution."""
        system = sparse_quadratic(problem)
        matrix = self.minimise(system)
        return matrix.ravel(), _state(system, matrix, 1)

    def finished(self, problem: Problem, theta: Array, state: State) -> Status | None:
        """After the one iteration."""
        return Status.SOLVED if state.iteration else None


def _state(system: SparseQuadratic, matrix: Array, iteration: int) -> State:
    r = system.B - system.hessian_product(matrix)
    return State(iteration, system.value(matrix, r), norm(r), float("nan"))
