"""Gauss–Newton, matrix-free, within a trust region: for least squares and for cross-entropy.

    minimise m(p) = gᵀp + ½ pᵀBp    over ‖p‖ ≤ Δ,    B = yᵀ Φ'' y + R''

symbol    meaning
y         derivative of the end states in θ
Φ'', R''  Hessians of the terminal terms in the end states, and of the penalties
B         the Hessian without the second derivatives of the layers; positive semidefinite

For ½‖r‖² this is B = JᵀJ with J = r', the method of Gauss. For other convex Φ it is the generalised
Gauss–Newton matrix of Schraudolph, Neural Computation 14 (2002). The inner solver is

    cg      conjugate gradients on products with B, truncated as by Steihaug
    lsqr    Golub–Kahan bidiagonalisation of J, where the objective is a sum of squares; a product
            costs the same and J is not squared

Forcing terms, ratio test and radius are those of `occore_classification.trust_region`.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from occore import Array, Evaluation, Problem, State, StructureError, require_structure
from occore_classification.conjugate_gradients import ModelStep, model_step
from occore_classification.kept_evaluation import evaluation_of
from occore_classification.smooth import SmoothOptimizer
from occore_classification.trust_region import (
    InexactState,
    TrustState,
    first_inexact,
    trusted,
)
from occore_single_layer.lsqr_step import lsqr_step

Inner = Annotated[
    Literal["cg", "lsqr"],
    Field(description="what solves for a step; lsqr: where the objective is a sum of squares"),
]
MostInner = Annotated[int, Field(gt=0, description="inner iterations a step, at most")]


@dataclass(frozen=True)
class GaussNewton(SmoothOptimizer[TrustState]):
    """Fast where the residual is small at the solution, or the model nearly linear there."""

    state: ClassVar[type[State]] = TrustState

    inner: Inner = "cg"
    max_inner: MostInner = 100
    first_radius: Annotated[
        float | None,
        Field(gt=0, description="Δ at the start; without it the first step may go anywhere"),
    ] = None

    def init(self, problem: Problem, theta: Array) -> TrustState:
        """Value and gradient. Raises StructureError where the inner solver does not fit."""
        check_inner(problem, self.inner)
        radius = math.inf if self.first_radius is None else self.first_radius
        return TrustState(**asdict(first_inexact(problem, theta)), radius=radius)

    def step(self, problem: Problem, theta: Array, state: TrustState) -> tuple[Array, TrustState]:
        """One inexact step; one that does not decrease J is shortened until it does."""
        found = gauss_newton_step(
            evaluation_of(problem, theta),
            state,
            inner=self.inner,
            radius=state.radius,
            accuracy=state.accuracy(self.tolerance),
            max_iterations=self.max_inner,
        )
        theta, after = trusted(problem, theta, state, found)
        return theta, after.after(state, found.iterations)


def check_inner(problem: Problem, inner: str) -> None:
    """Raise StructureError where the products that the inner solver takes are not there."""
    if inner == "lsqr":
        require_structure(problem, "least_squares")
    if problem.running is not None:
        raise StructureError(
            "the objective has a running cost, of which there is no Gauss–Newton product: take "
            "newton_cg, whose Hessian products have it"
        )


def gauss_newton_step(
    at: Evaluation,
    state: InexactState,
    *,
    inner: str,
    radius: float = math.inf,
    damping: float = 0.0,
    accuracy: float,
    max_iterations: int,
) -> ModelStep:
    """A step for the model with B + μ I within a region; damping: μ."""
    if inner == "lsqr":
        return lsqr_step(
            at, radius=radius, damping=damping, accuracy=accuracy, max_iterations=max_iterations
        )
    return model_step(
        lambda v: at.gauss_newton_product(v) + damping * v,
        state.g,
        radius=radius,
        accuracy=accuracy,
        max_iterations=max_iterations,
    )
