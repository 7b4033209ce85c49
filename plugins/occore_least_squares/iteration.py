"""What the iterations for linear least squares share: options, structure, stopping, example.

An iteration is stopped by its gradient, by its number of steps, or by the discrepancy principle:
at the first iterate with ‖r‖ ≤ τ δ, δ the norm of the noise in the right-hand side. The number of
steps then plays the part of a regularisation parameter. Hansen, Discrete Inverse Problems (2010),
sections 5.2 and 6.3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import Field

from occore import (
    Array,
    Example,
    Optimizer,
    Problem,
    State,
    Status,
    Structure,
    StructureError,
    stop,
)
from occore_least_squares.conditioning import Conditioned, Matrix, Named, conditioned
from occore_least_squares.direct import line

NoiseLevel = Annotated[
    float | None,
    Field(
        gt=0,
        allow_inf_nan=False,
        description="δ, the norm of the noise in the residual r of the objective ½‖r‖²",
    ),
]
Safety = Annotated[
    float, Field(ge=1, allow_inf_nan=False, description="τ, multiplies the noise level")
]


@dataclass(frozen=True)
class IterationState(State):
    """Every iteration knows the gradient norm that it began with."""

    initial_gradient_norm: float


S = TypeVar("S", bound=IterationState)


@dataclass(frozen=True)
class LinearIteration(Optimizer[S]):
    """An iteration with one forward and one adjoint product a step, for a matrix-free J.

    With a postconditioner S the gradient of its states is Sᵀ ∇J.
    """

    resume: ClassVar[Literal["exact", "restart"]] = "exact"
    requires: ClassVar[tuple[Structure, ...]] = ("linear_least_squares",)

    max_iterations: Annotated[int, Field(gt=0, description="steps at most")] = 1000
    tolerance: Annotated[
        float, Field(ge=0, description="gradient norm relative to the first one")
    ] = 1e-10
    noise_level: NoiseLevel = None
    safety: Safety = 1.0
    postconditioner: Annotated[
        Named | Matrix, Field(description="S in θ = S z: a name, or a matrix as a list of rows")
    ] = "identity"

    def system(self, problem: Problem) -> Conditioned:
        """The residual in z, where θ = S z.

        Raises StructureError for a noise level beside penalties, whose rows are no noisy data.
        """
        if self.noise_level is not None and problem.penalties:
            raise StructureError(
                "noise_level stops where the misfit is at the noise, and the number of steps is "
                "the regularisation; remove the penalties, or choose their weight by ridge_path"
            )
        return conditioned(problem, self.postconditioner)

    def finished(self, problem: Problem, theta: Array, state: S) -> Status | None:
        """By the residual norm, the gradient norm or the number of steps."""
        if self.noise_level is not None:
            if math.sqrt(2 * state.value) <= self.safety * self.noise_level:
                return Status.NOISE_LEVEL
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
