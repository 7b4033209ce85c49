"""Newton's method with the whole Hessian, for problems of up to some thousand unknowns.

    (H + τ I) d = −g,    θ ← θ + α d

H is assembled from products with the unit vectors and factorised by Cholesky. Where it is not
safely positive definite, a multiple of the identity is added that grows until it is: Nocedal and
Wright (2006), algorithm 3.3. α by a strong Wolfe line search from α = 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import scipy.linalg
from pydantic import Field

from occore import Array, InputError, Problem, State
from occore_classification.line_search import strong_wolfe
from occore_classification.smooth import SmoothOptimizer, SmoothState, first_state
from occore_classification.smooth_line import along, moved, origin, rounding_of

FIRST_SHIFT = 1e-8
"""The first τ, relative to the largest entry of the diagonal."""


@dataclass(frozen=True)
class Newton(SmoothOptimizer[SmoothState]):
    """Converges quadratically; a step costs as many Hessian products as there are unknowns."""

    state: ClassVar[type[State]] = SmoothState

    max_unknowns: Annotated[
        int, Field(gt=0, description="more than this is refused, since the Hessian is dense")
    ] = 3000

    def init(self, problem: Problem, theta: Array) -> SmoothState:
        """Value and gradient at the start. Raises InputError for too many unknowns."""
        if theta.size > self.max_unknowns:
            raise InputError(
                f"newton: {theta.size} unknowns, more than max_unknowns = {self.max_unknowns}; a "
                "dense Hessian would be slow. Take newton_cg, which needs products only"
            )
        return first_state(problem, theta)

    def step(self, problem: Problem, theta: Array, state: SmoothState) -> tuple[Array, SmoothState]:
        """One Hessian, one factorisation, one line search."""
        d = newton_direction(hessian(problem, theta), state.g)
        rounding = rounding_of(problem, state.value)
        trial = strong_wolfe(along(problem, theta, d), origin(state, d), 1.0, rounding)
        return moved(theta, d, state, trial)


def hessian(problem: Problem, theta: Array) -> Array:
    """∇²J(θ) (n, n), made symmetric to the last bit."""
    at = problem.at(theta)
    H = np.stack([at.hessian_product(e) for e in np.eye(theta.size, dtype=theta.dtype)])
    return (H + H.T) / 2


def newton_direction(H: Array, g: Array) -> Array:
    """−(H + τ I)⁻¹ g with the smallest τ that is tried for which H + τ I is safely positive."""
    largest = float(np.max(np.abs(np.diag(H)))) or 1.0
    safe = H.shape[0] * float(np.finfo(H.dtype).eps)
    tau = 0.0
    while True:
        try:
            factor = scipy.linalg.cho_factor(H + tau * np.eye(len(H), dtype=H.dtype), lower=True)
        except scipy.linalg.LinAlgError:
            pass
        else:
            pivots = np.diag(factor[0]) ** 2
            if np.min(pivots) > safe * np.max(pivots):
                return -scipy.linalg.cho_solve(factor, g)
        tau = max(FIRST_SHIFT * largest, 10 * tau)
