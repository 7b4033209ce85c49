"""What optimizers of smooth problems share: options, state, stopping, example.

A run has converged where ‖∇J‖ ≤ tolerance · max(1, ‖∇J‖ at the start). Before that is said, the
ray through the origin is looked at: where J goes on to fall from θ to 64 θ, as it does for
separable classes without a penalty, the small gradient is that of a valley without a bottom, and
the status is `unbounded`. Of a convex J with a minimiser near θ this cannot be so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import Field

from occore import Array, Example, Optimizer, Problem, State, Status, Structure, norm, overridable
from occore_classification.kept_evaluation import Evaluated
from occore_classification.lanczos import curvature_certificate

RAY = (1.05, 1.3, 2.0, 4.0, 16.0, 64.0)
"""Multiples of θ at which J must go on to fall for a verdict that it has no minimiser there."""


@dataclass(frozen=True)
class SmoothState(State):
    """The gradient g of the iterate, the first gradient norm, and whether no step was found."""

    g: Array
    initial_gradient_norm: float
    failed: bool


S = TypeVar("S", bound=SmoothState)


@dataclass(frozen=True)
class SmoothOptimizer(Optimizer[S]):
    """An optimizer with gradients of a problem without kinks."""

    resume: ClassVar[Literal["exact", "restart"]] = "exact"
    requires: ClassVar[tuple[Structure, ...]] = ("smooth",)

    max_iterations: Annotated[int, Field(gt=0, description="steps at most")] = 200
    tolerance: Annotated[
        float, Field(ge=0, description="gradient norm relative to max(1, the first one)")
    ] = 1e-6
    certificate: Annotated[
        bool, Field(description="smallest Ritz value of the Hessian at the end, 60 products")
    ] = False

    @overridable
    def report(self, problem: Problem, theta: Array, state: S) -> dict[str, Any]:
        """Whether the Hessian is positive semidefinite, where that was asked for."""
        return {"certificates": curvature_certificate(problem, theta)} if self.certificate else {}

    def finished(self, problem: Problem, theta: Array, state: S) -> Status | None:
        """By the gradient norm, by the limit, or where no step decreases J any more."""
        return stop_smooth(self.tolerance, self.max_iterations, problem, theta, state)

    @classmethod
    @overridable
    def example(cls) -> Example:
        """A line through (0, 1), (1, 3), (2, 5): y = 1 + 2 x, by hand."""
        from occore_least_squares.direct import line

        return replace(line(cls(tolerance=1e-10, max_iterations=2000)), rtol=1e-7)


def stop_smooth(
    tolerance: float, max_iterations: int, problem: Problem, theta: Array, state: SmoothState
) -> Status | None:
    """The rule of the module's head; `None` to go on."""
    if state.gradient_norm <= tolerance * max(1.0, state.initial_gradient_norm):
        return Status.UNBOUNDED if is_unbounded(problem, theta, state) else Status.CONVERGED
    if state.failed:
        return Status.LINE_SEARCH_FAILED
    return Status.ITERATION_LIMIT if state.iteration >= max_iterations else None


def is_unbounded(problem: Problem, theta: Array, state: SmoothState) -> bool:
    """Whether J falls all along the ray from θ to 64 θ; far out it may be zero to rounding."""
    if not state.g @ theta < 0 or not problem.value(RAY[0] * theta) < state.value:
        return False
    values = [problem.value(multiple * theta) for multiple in RAY]
    return all(after <= before for before, after in pairwise(values))


def first_state(problem: Problem, theta: Array) -> SmoothState:
    """Value and gradient at the start."""
    return state_of(problem.at(theta))


def state_of(evaluation: Evaluated) -> SmoothState:
    """The same, of what was evaluated there."""
    g = evaluation.gradient()
    size = norm(g)
    return SmoothState(0, evaluation.value, size, float("nan"), g, size, False)
