"""Newton–CG: Newton steps solved only as accurately as the gradient deserves, matrix-free.

    ‖∇²J(θ) p + g‖ ≤ η ‖g‖

with the forcing terms η of `occore_classification.trust_region`. Globalization by

    trust_region    Steihaug's truncated CG follows negative curvature to the border; Nocedal and
                    Wright (2006), algorithms 4.1 and 7.2
    line_search     CG ends at negative curvature; strong Wolfe from α = 1: algorithm 7.1

A preconditioner is made anew whenever the gradient has fallen by a factor 30. It depends on the
iterate at which it was made, which is part of the state: so a resumed run makes the same one.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from occore import Array, Problem, State
from occore_classification.conjugate_gradients import Operator, model_step
from occore_classification.gram_preconditioner import check_gram, gram_preconditioner
from occore_classification.kept_evaluation import evaluation_of
from occore_classification.line_search import strong_wolfe
from occore_classification.smooth import SmoothOptimizer
from occore_classification.smooth_line import along, moved, origin, rounding_of
from occore_classification.trust_region import TrustState, first_inexact, trusted

RENEWAL = 1 / 30
"""Of the gradient norm, at which a preconditioner is made anew."""


@dataclass(frozen=True)
class NewtonCGState(TrustState):
    """Where the preconditioner is from: θ, with the gradient norm there (∞ before the first)."""

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
        return NewtonCGState(
            **asdict(first_inexact(problem, theta)),
            radius=math.inf,
            reference=theta.copy(),
            reference_gradient_norm=math.inf,
        )

    def step(
        self, problem: Problem, theta: Array, state: NewtonCGState
    ) -> tuple[Array, NewtonCGState]:
        """One inexact Newton step."""
        state, precondition = self._renewed(problem, theta, state)
        before, trusting = state, self.globalization == "trust_region"
        # of a line search no evaluation is kept: it makes several
        at = evaluation_of(problem, theta) if trusting else problem.at(theta)
        found = model_step(
            at.hessian_product,
            state.g,
            radius=state.radius if trusting else math.inf,
            accuracy=state.accuracy(self.tolerance),
            max_iterations=self.max_inner,
            precondition=precondition,
        )
        if trusting:
            theta, state = trusted(problem, theta, state, found)
        else:
            rounding = rounding_of(problem, state.value)
            line, start = along(problem, theta, found.p), origin(state, found.p)
            trial = strong_wolfe(line, start, 1.0, rounding)
            theta, state = moved(theta, found.p, state, trial)
        return theta, state.after(before, found.iterations)

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
