"""SciPy's minimizers behind occore's interface, for comparison and for what it does not have.

Each iteration is one call of `scipy.optimize.minimize` from the present θ. SciPy keeps its own
state to itself, so that an interrupted run starts afresh from the last θ: `resume = "restart"`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from occore import Array, Example, Optimizer, Problem, State, Status, Structure, norm
from occore_classification.smooth import SmoothState, first_state, stop_smooth

Method = Literal["BFGS", "CG", "L-BFGS-B", "Newton-CG", "TNC", "trust-krylov", "trust-ncg"]

WITH_HESSIAN = ("Newton-CG", "trust-krylov", "trust-ncg")


@dataclass(frozen=True)
class ScipyMinimize(Optimizer[SmoothState]):
    """`scipy.optimize.minimize` with exact gradients and, where the method takes them, Hessians."""

    resume: ClassVar[Literal["exact", "restart"]] = "restart"
    requires: ClassVar[tuple[Structure, ...]] = ("smooth",)
    state: ClassVar[type[State]] = SmoothState

    method: Annotated[Method, Field(description="SciPy's name of the method")] = "L-BFGS-B"
    max_iterations: Annotated[int, Field(gt=0, description="calls of SciPy at most")] = 5
    iterations_per_call: Annotated[
        int, Field(gt=0, description="SciPy's own iterations in one call, at most")
    ] = 1000
    tolerance: Annotated[
        float, Field(ge=0, description="gradient norm relative to max(1, the first one)")
    ] = 1e-6

    def init(self, problem: Problem, theta: Array) -> SmoothState:
        """Value and gradient at the start."""
        return first_state(problem, theta)

    def step(self, problem: Problem, theta: Array, state: SmoothState) -> tuple[Array, SmoothState]:
        """One call of SciPy; a call without a decrease has failed."""
        import scipy.optimize

        def value_and_gradient(vector: Array) -> tuple[float, Array]:
            value, g = problem.value_and_gradient(vector.astype(theta.dtype))
            return value, g.astype(np.float64)

        goal = self.tolerance * max(1.0, state.initial_gradient_norm)
        more: dict[str, Any] = {}
        if self.method in WITH_HESSIAN:
            more["hessp"] = lambda x, v: problem.hessian_product(
                x.astype(theta.dtype), v.astype(theta.dtype)
            ).astype(np.float64)
        found = scipy.optimize.minimize(
            value_and_gradient,
            theta.astype(np.float64),
            method=self.method,
            jac=True,
            options=self._options(goal, theta.size),
            **more,
        )
        after = found.x.astype(theta.dtype)
        value, g = problem.value_and_gradient(after)
        counted = replace(state, iteration=state.iteration + 1)
        if not value < state.value:
            return theta, replace(counted, failed=True)
        return after, replace(
            counted, value=value, gradient_norm=norm(g), step_length=norm(after - theta), g=g
        )

    def finished(self, problem: Problem, theta: Array, state: SmoothState) -> Status | None:
        """By the gradient norm; a call without a decrease ends the run."""
        return stop_smooth(self.tolerance, self.max_iterations, problem, theta, state)

    def _options(self, goal: float, size: int) -> dict[str, Any]:
        """SciPy's options for a gradient norm below the goal; it measures the largest entry."""
        largest = goal / size**0.5
        options: dict[str, Any] = {"maxiter": self.iterations_per_call}
        if self.method == "L-BFGS-B":
            options |= {"gtol": largest, "ftol": 0.0, "maxfun": 20 * self.iterations_per_call}
        elif self.method == "TNC":
            options = {"gtol": largest, "ftol": 0.0, "xtol": 0.0}
            options["maxfun"] = 20 * self.iterations_per_call
        elif self.method == "Newton-CG":
            options["xtol"] = largest
        else:
            options["gtol"] = largest
        return options

    @classmethod
    def example(cls) -> Example:
        """A line through (0, 1), (1, 3), (2, 5): y = 1 + 2 x, by hand."""
        from occore_least_squares.direct import line

        return replace(line(cls(tolerance=1e-9)), rtol=1e-7)
