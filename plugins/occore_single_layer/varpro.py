"""Variable projection: the last layer is solved for, and Gauss–Newton moves the others.

    minimise φ(θ₁) = min_w J(θ₁, w),    S p = −∇φ,    θ₁ ← θ₁ + p,  w ← w(θ₁)

The first iteration solves for w alone. In every later one conjugate gradients on S give a step
within a trust region, and each trial of it solves the inner problem anew, from the w that is
predicted to first order. How accurately, the gradient decides: ‖∂J/∂w‖ ≤ accuracy · ‖∂J/∂θ₁‖, since
the error of ∇φ is of the order of the left-hand side. φ, S and their sources are in
`occore_single_layer.reduced`, the inner solvers in `occore_single_layer.inner_problem`.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from occore import Array, Data, Example, InputError, Phase, Problem, State, Structure, norm
from occore_classification.conjugate_gradients import model_step
from occore_classification.kept_evaluation import evaluation_of, keep, kept
from occore_classification.lanczos import curvature_certificate
from occore_classification.smooth import SmoothOptimizer
from occore_classification.trust_region import TrustState, first_inexact, trusted
from occore_single_layer.reduced import Reduced, ReducedEvaluation, separated

FORCING = 0.1
"""The loosest forcing term: a trial is dearer here than a product."""


@dataclass(frozen=True)
class VarProState(TrustState):
    """g is (∂J/∂θ₁, ∂J/∂w). Whether w was solved for, and the inner Newton steps so far."""

    solved: bool
    newton_steps: int


@dataclass(frozen=True)
class VarPro(SmoothOptimizer[VarProState]):
    """For networks whose last layer is linear in its controls; few, expensive iterations."""

    requires: ClassVar[tuple[Structure, ...]] = ("smooth", "separable")
    state: ClassVar[type[State]] = VarProState

    max_inner: Annotated[int, Field(gt=0, description="CG iterations a step, at most")] = 20
    accuracy: Annotated[
        float,
        Field(gt=0, lt=1, description="‖∂J/∂w‖ relative to ‖∂J/∂θ₁‖, where w is found iteratively"),
    ] = 0.1
    max_unknowns: Annotated[
        int, Field(gt=0, description="of the last layer, whose Hessian is dense; more are refused")
    ] = 3000

    def init(self, problem: Problem, theta: Array) -> VarProState:
        """Value and gradient at the start. Raises InputError for too large a last layer."""
        unknowns = problem.phases[-1].layout.size
        if unknowns > self.max_unknowns:
            raise InputError(
                f"varpro: the last layer has {unknowns} unknowns, more than max_unknowns = "
                f"{self.max_unknowns}; a dense Hessian of them would be slow. Take gauss_newton"
            )
        first = asdict(first_inexact(problem, theta))
        return VarProState(**first, radius=math.inf, solved=False, newton_steps=0)

    def step(self, problem: Problem, theta: Array, state: VarProState) -> tuple[Array, VarProState]:
        """One step of θ₁ with the w that belongs to it; at first w alone."""
        parts = separated(problem)
        cut = parts.opening.size
        floor = self.tolerance * max(1.0, state.initial_gradient_norm) / 2
        reduced = Reduced(parts, theta[cut:], self.accuracy, floor)
        if not state.solved:
            at = reduced.at(theta[:cut])
            theta, state = _at(problem, at, replace(state, iteration=state.iteration + 1))
            return theta, replace(state, step_length=float("nan"), solved=True)
        base = kept(problem, theta, lambda theta: reduced.again(theta[:cut]))
        found = model_step(
            base.gauss_newton_product,
            base.gradient(),
            radius=state.radius,
            accuracy=replace(state, forcing=min(state.forcing, FORCING)).accuracy(self.tolerance),
            max_iterations=self.max_inner,
        )
        reduced = replace(reduced, base=base)
        keep(reduced, base.theta, base)
        outer = replace(state, g=base.gradient())
        outer_theta, moved = trusted(reduced, base.theta, outer, found)
        at = evaluation_of(reduced, outer_theta)
        if moved.failed:
            return theta, replace(moved, g=state.g)
        theta, after = _at(problem, at, moved)
        return theta, after.after(state, found.iterations)

    def report(self, problem: Problem, theta: Array, state: VarProState) -> dict[str, Any]:
        """How well the last layer is solved for, and what that took."""
        cut = separated(problem).opening.size
        outer, inner = norm(state.g[:cut]), norm(state.g[cut:])
        found = {
            "outer_gradient_norm": outer,
            "inner_gradient_norm": inner,
            "newton_steps": state.newton_steps,
        }
        certificate = {"certificates": curvature_certificate(problem, theta)}
        return {"variable_projection": found} | (certificate if self.certificate else {})

    @classmethod
    def example(cls) -> Example:
        """Data made by 1.5 tanh(0.8 x): k = 0.8 and w = 1.5 leave no residual."""
        from occore_least_squares.least_squares import LeastSquares
        from occore_least_squares.linear import Linear
        from occore_single_layer.dense import Dense

        x = np.array([[-1.0], [0.5], [2.0]])
        phases = (
            Phase("hidden", Dense((1,), 1, bias=False)),
            Phase("fit", Linear((1,), 1, bias=False)),
        )
        problem = Problem(phases, LeastSquares(), Data(x, 1.5 * np.tanh(0.8 * x)))
        method = cls(tolerance=1e-12)
        return Example(method, problem=problem, theta=[0.5, 0.1], value=[0.8, 1.5], rtol=1e-9)


def _at(problem: Problem, at: ReducedEvaluation, state: VarProState) -> tuple[Array, VarProState]:
    """θ of an evaluation, which is kept, and the state there."""
    theta = np.concatenate([at.theta, at.inner.w])
    keep(problem, theta, at)
    g = np.concatenate([at.gradient(), at.inner.g])
    return theta, replace(
        state,
        value=at.value,
        g=g,
        gradient_norm=norm(g),
        newton_steps=state.newton_steps + at.inner.iterations,
    )
