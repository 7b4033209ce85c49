"""L-BFGS: quasi-Newton steps from the last m changes of iterate and gradient.

    d = −H g,  H from the pairs s_i = θ_{i+1} − θ_i,  y_i = g_{i+1} − g_i,  θ ← θ + α d

Nocedal and Wright, Numerical Optimization (2006), algorithm 7.4 (two-loop recursion) with the
scaling of equation 7.20; α by a strong Wolfe line search, which keeps sᵀy > 0.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from occore import Array, Problem, State, norm
from occore_classification.line_search import strong_wolfe
from occore_classification.smooth import SmoothOptimizer, SmoothState, first_state
from occore_classification.smooth_line import along, moved, origin, rounding_of


@dataclass(frozen=True)
class LBFGSState(SmoothState):
    """Pairs S and Y (memory, n) of which the last `pairs` rows count."""

    S: Array
    Y: Array
    pairs: int


@dataclass(frozen=True)
class LBFGS(SmoothOptimizer[LBFGSState]):
    """For any smooth problem; memory grows with `memory` times the number of unknowns."""

    state: ClassVar[type[State]] = LBFGSState

    memory: Annotated[int, Field(gt=0, description="pairs that are kept")] = 10

    def init(self, problem: Problem, theta: Array) -> LBFGSState:
        """Value and gradient at the start, and no pairs."""
        pairs = np.zeros((self.memory, theta.size), theta.dtype)
        return LBFGSState(**asdict(first_state(problem, theta)), S=pairs, Y=pairs, pairs=0)

    def step(self, problem: Problem, theta: Array, state: LBFGSState) -> tuple[Array, LBFGSState]:
        """One line search along the quasi-Newton direction."""
        d = -_inverse_hessian(state)
        first = 1.0 if state.pairs else min(1.0, 1 / state.gradient_norm)
        rounding = rounding_of(problem, state.value)
        trial = strong_wolfe(along(problem, theta, d), origin(state, d), first, rounding)
        if trial is None:
            return moved(theta, d, state, trial)
        s, y = trial.alpha * d, trial.kept - state.g
        S, Y, pairs = state.S, state.Y, state.pairs
        if s @ y > 1e-10 * norm(s) * norm(y):
            S, Y = np.vstack([S[1:], s]), np.vstack([Y[1:], y])
            pairs = min(self.memory, pairs + 1)
        theta, state = moved(theta, d, state, trial)
        return theta, replace(state, S=S, Y=Y, pairs=pairs)


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
