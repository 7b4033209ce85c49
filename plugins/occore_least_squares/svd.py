"""SVD: the least-squares solution of minimum norm, by singular values; small ones can be cut off.

    [A; L] = U diag(s) Vᵀ,    Θ = Σ_{s_i > cutoff · s_1} v_i (u_iᵀ [B; 0]) / s_i

Golub and Van Loan, Matrix Computations (4th ed.), section 5.5.2. A larger cutoff is the truncated
SVD of Hansen, Discrete Inverse Problems (2010), section 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import scipy.linalg
from pydantic import Field

from occore import Array, Example, Optimizer, Problem, State, Status, Structure
from occore_least_squares import direct


@dataclass(frozen=True)
class SVD(Optimizer[State]):
    """Direct, for problems that hand out their matrices; one iteration."""

    resume: ClassVar[Literal["exact", "restart"]] = "exact"
    requires: ClassVar[tuple[Structure, ...]] = ("dense_least_squares",)
    state: ClassVar[type[State]] = State

    cutoff: Annotated[
        float | None,
        Field(
            ge=0, lt=1, description="relative to the largest singular value; rounding by default"
        ),
    ] = None

    def init(self, problem: Problem, theta: Array) -> State:
        """Value and gradient at the start."""
        return direct.evaluate(problem, theta, 0)

    def step(self, problem: Problem, theta: Array, state: State) -> tuple[Array, State]:
        """The solution."""
        return direct.solve(problem, lambda A, B: truncated(A, B, self.cutoff))

    def finished(self, problem: Problem, theta: Array, state: State) -> Status | None:
        """After the one iteration."""
        return Status.SOLVED if state.iteration else None

    @classmethod
    def example(cls) -> Example:
        """A line through (0, 1), (1, 3), (2, 5): y = 1 + 2 x, by hand."""
        return direct.line(cls())


def truncated(A: Array, B: Array, cutoff: float | None) -> Array:
    """Σ v_i (u_iᵀ B) / s_i over the singular values above cutoff · s_1.

    A: (m, n). B: (m, k). Without a cutoff, singular values at rounding level are left out.
    """
    U, s, Vt = scipy.linalg.svd(A, full_matrices=False)
    relative = max(A.shape) * np.finfo(A.dtype).eps if cutoff is None else cutoff
    kept = s > relative * s[0]
    return Vt[kept].T @ ((U[:, kept].T @ B) / s[kept, None])
