"""What the iterations for linear least squares share: options, structure, stopping, example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import Field

from occore import Array, Example, Optimizer, Problem, State, Status, Structure, stop
from occore_least_squares.direct import line


@dataclass(frozen=True)
class IterationState(State):
    """Every iteration knows the gradient norm that it began with."""

    initial_gradient_norm: float


S = TypeVar("S", bound=IterationState)


@dataclass(frozen=True)
class LinearIteration(Optimizer[S]):
    """An iteration with one forward and one adjoint product a step, for a matrix-free J."""

    resume: ClassVar[Literal["exact", "restart"]] = "exact"
    requires: ClassVar[tuple[Structure, ...]] = ("linear_least_squares",)

    max_iterations: Annotated[int, Field(gt=0, description="steps at most")] = 1000
    tolerance: Annotated[
        float, Field(ge=0, description="gradient norm relative to the first one")
    ] = 1e-10

    def finished(self, problem: Problem, theta: Array, state: S) -> Status | None:
        """By the gradient norm."""
        return stop(
            state,
            initial=state.initial_gradient_norm,
            tolerance=self.tolerance,
            max_iterations=self.max_iterations,
        )

    @classmethod
    def example(cls) -> Example:
        """A line through (0, 1), (1, 3), (2, 5): y = 1 + 2 x, by hand."""
        return line(cls(tolerance=1e-13))
