"""L-BFGS: quasi-Newton steps from the last m changes of iterate and gradient.

    d = −H g,  H from the pairs s_i = θ_{i+1} − θ_i,  y_i = g_{i+1} − g_i,  θ ← θ + α d

Nocedal and Wright, Numerical Optimization (2006), algorithm 7.4 (two-loop recursion) with the
scaling of equation 7.20; α by a strong Wolfe line search, which keeps sᵀy > 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from occore import Array, Example, Optimizer, Problem, State, Status, norm
from occore_classification.line_search import Trial, strong_wolfe


@dataclass(frozen=True)
class LBFGSState(State):
    """Gradient g, pairs S and Y (memory, n) of which the last `pairs` rows count."""

    g: Array
    S: Array
    Y: Array
    pairs: int
    failed: bool
    initial_gradient_norm: float


@dataclass(frozen=True)
class LBFGS(Optimizer[LBFGSState]):
    """For any smooth problem; memory grows with `memory` times the number of unknowns."""

    resume: ClassVar[Literal["exact", "restart"]] = "exact"
    state: ClassVar[type[State]] = LBFGSState

    memory: Annotated[int, Field(gt=0, description="pairs that are kept")] = 10
    max_iterations: Annotated[int, Field(gt=0, description="steps at most")] = 200
    tolerance: Annotated[
        float, Field(ge=0, description="gradient norm relative to max(1, the first one)")
    ] = 1e-6

    def init(self, problem: Problem, theta: Array) -> LBFGSState:
        """Value and gradient at the start, and no pairs."""
        value, g = problem.value_and_gradient(theta)
        pairs = np.zeros((self.memory, theta.size), theta.dtype)
        return LBFGSState(0, value, norm(g), float("nan"), g, pairs, pairs, 0, False, norm(g))

    def step(self, problem: Problem, theta: Array, state: LBFGSState) -> tuple[Array, LBFGSState]:
        """One line search along the quasi-Newton direction."""
        d = -_inverse_hessian(state)

        def line(alpha: float) -> Trial:
            value, g = problem.value_and_gradient(theta + alpha * d)
            return Trial(alpha, value, float(g @ d), g)

        start = Trial(0.0, state.value, float(state.g @ d), state.g)
        first = 1.0 if state.pairs else min(1.0, 1 / state.gradient_norm)
        trial = strong_wolfe(line, start, first)
        if trial is None:
            return theta, replace(state, iteration=state.iteration + 1, failed=True)
        s, y = trial.alpha * d, trial.kept - state.g
        S, Y, pairs = state.S, state.Y, state.pairs
        if s @ y > 1e-10 * norm(s) * norm(y):
            S, Y = np.vstack([S[1:], s]), np.vstack([Y[1:], y])
            pairs = min(self.memory, pairs + 1)
        return theta + s, LBFGSState(
            state.iteration + 1,
            trial.value,
            norm(trial.kept),
            trial.alpha,
            trial.kept,
            S,
            Y,
            pairs,
            False,
            state.initial_gradient_norm,
        )

    def finished(self, problem: Problem, theta: Array, state: LBFGSState) -> Status | None:
        """By the gradient norm, or where no step decreases J any more."""
        if state.gradient_norm <= self.tolerance * max(1.0, state.initial_gradient_norm):
            return Status.CONVERGED
        if state.failed:
            return Status.LINE_SEARCH_FAILED
        return Status.ITERATION_LIMIT if state.iteration >= self.max_iterations else None

    @classmethod
    def example(cls) -> Example:
        """A line through (0, 1), (1, 3), (2, 5): y = 1 + 2 x, by hand."""
        from occore_least_squares.direct import line

        return replace(line(cls(tolerance=1e-10)), rtol=1e-7)


def _inverse_hessian(state: LBFGSState) -> Array:
    """H g by the two-loop recursion."""
    q, count = state.g.copy(), len(state.S)
    used = range(count - state.pairs, count)
    rho = {i: 1 / (state.S[i] @ state.Y[i]) for i in used}
    a = {}
    for i in reversed(used):
        a[i] = rho[i] * (state.S[i] @ q)
        q -= a[i] * state.Y[i]
    if state.pairs:
        q *= (state.S[-1] @ state.Y[-1]) / (state.Y[-1] @ state.Y[-1])
    for i in used:
        q += (a[i] - rho[i] * (state.Y[i] @ q)) * state.S[i]
    return q
