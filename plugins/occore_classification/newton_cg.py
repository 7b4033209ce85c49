"""Newton–CG: Newton steps solved only as accurately as the gradient deserves, matrix-free.

    ‖∇²J(θ) p + g‖ ≤ η ‖g‖,    η = min(½, max(γ (‖g‖/‖g₋‖)², ½ tolerance/‖g‖))

Eisenstat and Walker, SIAM J. Sci. Comput. 17 (1996), choice 2 with γ = 0.9. Globalization by

    trust_region    Steihaug's truncated CG; Δ by ρ = actual/predicted decrease: Nocedal and Wright
                    (2006), algorithms 4.1 and 7.2
    line_search     CG ends at negative curvature; strong Wolfe from α = 1: algorithm 7.1

A preconditioner is made anew whenever the gradient has fallen by a factor 30. It depends on the
iterate at which it was made, which is part of the state: so a resumed run makes the same one.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from occore import Array, Problem, State, norm
from occore_classification.conjugate_gradients import ModelStep, Operator, model_step
from occore_classification.gram_preconditioner import check_gram, gram_preconditioner
from occore_classification.line_search import strong_wolfe
from occore_classification.smooth import SmoothOptimizer, SmoothState, first_state
from occore_classification.smooth_line import along, moved, origin, rounding_of

GAMMA = 0.9
LARGEST_FORCING = 0.5
RENEWAL = 1 / 30
"""Of the gradient norm, at which a preconditioner is made anew."""


@dataclass(frozen=True)
class NewtonCGState(SmoothState):
    """Trust radius Δ, forcing term η, CG iterations so far, and where the preconditioner is from.

    reference: the θ at which it was made, with the gradient norm there (∞ before the first one).
    """

    radius: float
    forcing: float
    inner_iterations: int
    reference: Array
    reference_gradient_norm: float


@dataclass(frozen=True)
class NewtonCG(SmoothOptimizer[NewtonCGState]):
    """For any smooth problem with second derivatives; converges superlinearly."""

    state: ClassVar[type[State]] = NewtonCGState

    globalization: Annotated[
        Literal["trust_region", "line_search"], Field(description="how far steps may go")
    ] = "trust_region"
    preconditioner: Annotated[
        Literal["none", "gram"],
        Field(description="gram: by weighted Gram matrices of the features of a linear model"),
    ] = "none"
    max_inner: Annotated[int, Field(gt=0, description="CG iterations a step, at most")] = 500

    def init(self, problem: Problem, theta: Array) -> NewtonCGState:
        """Value and gradient. Raises StructureError where the preconditioner does not fit."""
        if self.preconditioner == "gram":
            check_gram(problem)
        first = first_state(problem, theta)
        return NewtonCGState(
            **asdict(first),
            radius=math.inf,
            forcing=LARGEST_FORCING,
            inner_iterations=0,
            reference=theta.copy(),
            reference_gradient_norm=math.inf,
        )

    def step(
        self, problem: Problem, theta: Array, state: NewtonCGState
    ) -> tuple[Array, NewtonCGState]:
        """One inexact Newton step; a rejected one leaves θ and shrinks the trust region."""
        state, precondition = self._renewed(problem, theta, state)
        goal = self.tolerance * max(1.0, state.initial_gradient_norm)
        found = model_step(
            problem.at(theta).hessian_product,
            state.g,
            radius=state.radius if self.globalization == "trust_region" else math.inf,
            accuracy=max(state.forcing * state.gradient_norm, goal / 2),
            max_iterations=self.max_inner,
            precondition=precondition,
        )
        state = replace(state, inner_iterations=state.inner_iterations + found.iterations)
        before = state.gradient_norm
        if self.globalization == "line_search":
            trial = strong_wolfe(
                along(problem, theta, found.p),
                origin(state, found.p),
                1.0,
                rounding_of(problem, state.value),
            )
            theta, state = moved(theta, found.p, state, trial)
        else:
            theta, state = _trusted(problem, theta, state, found)
        ratio = state.gradient_norm / before if before else 0.0
        return theta, replace(state, forcing=min(LARGEST_FORCING, GAMMA * ratio**2))

    def _renewed(
        self, problem: Problem, theta: Array, state: NewtonCGState
    ) -> tuple[NewtonCGState, Operator | None]:
        """The preconditioner, of this iterate if the gradient has fallen enough since the last."""
        if self.preconditioner == "none":
            return state, None
        if state.gradient_norm < RENEWAL * min(
            state.reference_gradient_norm, state.initial_gradient_norm
        ):
            state = replace(
                state,
                reference=theta,
                reference_gradient_norm=state.gradient_norm,
                radius=math.inf,  # lengths are measured anew
            )
        if math.isinf(state.reference_gradient_norm):
            return state, None  # far from the minimum a few plain iterations are cheaper
        return state, gram_preconditioner(problem, state.reference)


def _trusted(
    problem: Problem, theta: Array, state: NewtonCGState, found: ModelStep
) -> tuple[Array, NewtonCGState]:
    """θ + p where J falls by a fair share of what the model says; the next radius."""
    value, g = problem.value_and_gradient(theta + found.p)
    # where both decreases are rounding their ratio is one: Conn, Gould and Toint (2000), 17.4.2
    rounding = rounding_of(problem, state.value) + float(np.finfo(float).tiny)
    ratio = (state.value - value + rounding) / (found.decrease + rounding)
    radius = state.radius
    if not ratio >= 0.25:
        radius = 0.25 * found.length
    elif ratio > 0.75 and found.on_border:
        radius = 2 * radius
    accepted = ratio > 1e-4
    # a step that is rejected although θ + p is θ to rounding will not do any better when shorter
    failed = not accepted and bool(np.all(theta + found.p == theta))
    state = replace(state, iteration=state.iteration + 1, radius=radius, failed=failed)
    if not accepted:
        return theta, state
    return theta + found.p, replace(
        state, value=value, gradient_norm=norm(g), step_length=found.length, g=g
    )
