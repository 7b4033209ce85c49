"""The reduced map φ(θ₁) = min_w J(θ₁, w) of variable projection, with its derivatives.

    ∇φ(θ₁) = ∂J/∂θ₁ at (θ₁, w(θ₁))                             the envelope theorem
    S v = (B₁₁ − B₁₂ B₂₂⁻¹ B₂₁) v = J₁ᵀ Φ'' (J₁ v + A z) + R₁'' v,    z the response to J₁ v

symbol    meaning
θ₁, w     controls of the phases before the last one, and of the last one, which is linear in them
J₁, A     derivatives of the end states in θ₁ and in w
B         Gauss–Newton matrix of J in (θ₁, w), see `occore_single_layer.gauss_newton`
S         its Schur complement, the Gauss–Newton matrix of φ
g₁, g₂    ∂J/∂θ₁ and ∂J/∂w, which vanishes at w(θ₁)

For least squares S = J₁ᵀ(I − AA⁺)J₁ is Kaufman's matrix (BIT 15 (1975), 49–57), which leaves out a
term of the projected Jacobian of Golub and Pereyra (SIAM J. Numer. Anal. 10 (1973), 413–432) that
is small with the residual. For cross-entropy: Newman, Ruthotto, Hart and van Bloemen Waanders, SIAM
J. Math. Data Sci. 3 (2021), 1041–1066. The gradient is right as far as w is: its error is
∂²J/∂θ₁∂w · (w − w(θ₁)), of the order of g₂.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from occore import Array, Evaluation, Linearization, Problem, Total, norm, spoiler
from occore_classification.end_hessian import end_hessian_product
from occore_single_layer.inner_problem import (
    InnerSolution,
    NewtonSolution,
    last_layer,
    newton_solution,
    orthogonal_solution,
)


@dataclass(frozen=True)
class Separated:
    """A problem with the structure separable, in two: a sweep over one counts as its share.

    opening: the phases before the last one, with the penalties on their controls alone.
    """

    problem: Problem
    opening: Problem

    def inner(self, features: Array) -> Problem:
        """The problem of the last phase for the end states of the opening."""
        whole = self.problem
        data = replace(whole.data, inputs=features)
        return whole.excerpt(whole.phases[-1:], whole.objective, data)


def separated(problem: Problem) -> Separated:
    """The two parts; one object for each problem."""

    def make() -> Separated:
        penalties = Total(problem.penalties)
        return Separated(problem, problem.excerpt(problem.phases[:-1], penalties, problem.data))

    return problem.once("separated", make)


@dataclass(frozen=True)
class ReducedEvaluation:
    """φ at one θ₁, as far as w solves the inner problem."""

    theta: Array
    opening: Evaluation
    inner: InnerSolution
    g: Array
    """g₁."""

    @property
    def value(self) -> float:
        """J(θ₁, w)."""
        return self.opening.value + self.inner.at.value

    def gradient(self) -> Array:
        """g₁, (n₁,)."""
        return self.g

    def gauss_newton_product(self, v: Array) -> Array:
        """S v, (n₁,)."""
        inner, dy = self.inner, self.opening.tangent(v)
        z = inner.response(inner.last.jvp(dy, self._no_change))
        dx = inner.last.jvp(dy, inner.controls(z))
        p, _ = inner.last.vjp(end_hessian_product(inner.at, dx))
        return self.opening.adjoint(p) + self.opening.penalty_product(v)

    def prediction(self, theta: Array) -> Array:
        """Where w is to be expected at another θ₁, to first order."""
        dx = self.inner.last.jvp(self.opening.tangent(theta - self.theta), self._no_change)
        return self.inner.w + self.inner.response(dx)

    @property
    def _no_change(self) -> dict[str, Array]:
        return self.inner.controls(np.zeros_like(self.inner.w))


@dataclass(frozen=True)
class Reduced:
    """φ, whose inner problem is solved as accurately as g₁ deserves.

    That is, until a whole Newton step for w has changed g₁ by no more than max(accuracy · ‖g₁‖,
    floor): so wrong was g₁ before it, and Newton's method squares the error. Least squares with
    matrices at hand is solved to rounding. w: where the inner problem starts. base: an evaluation
    from which w is predicted instead.
    """

    separated: Separated
    w: Array
    accuracy: float
    floor: float
    base: ReducedEvaluation | None = None

    @property
    def dtype(self) -> np.dtype:
        """That of the problem."""
        return self.separated.problem.dtype

    @property
    def counts(self) -> Any:
        """Those of the problem."""
        return self.separated.problem.counts

    def at(self, theta: Array) -> ReducedEvaluation:
        """φ at θ₁."""
        opening, inner = self._inner(theta)
        if spoiler(inner, "dense_least_squares") is None:
            return _evaluated(theta, opening, orthogonal_solution(inner))
        w = self.w if self.base is None else self.base.prediction(theta)
        g, error = np.zeros_like(theta), math.inf

        def enough(at: Evaluation, w: Array, whole: bool) -> bool:
            nonlocal g, error
            before, g = g, outer_gradient(opening, at, last_layer(inner, w))
            error = norm(g - before) if whole else math.inf
            return error <= max(self.accuracy * norm(g), self.floor)

        solution = newton_solution(inner, w, enough)
        return ReducedEvaluation(theta, opening, solution, g)

    def again(self, theta: Array) -> ReducedEvaluation:
        """The evaluation at a θ₁ for which w is known already, as after a run was resumed."""
        opening, inner = self._inner(theta)
        if spoiler(inner, "dense_least_squares") is None:
            return _evaluated(theta, opening, orthogonal_solution(inner))
        at = inner.at(self.w)
        return _evaluated(theta, opening, NewtonSolution(at, self.w, at.gradient(), 0))

    def _inner(self, theta: Array) -> tuple[Evaluation, Problem]:
        opening = self.separated.opening.at(theta)
        return opening, self.separated.inner(opening.output)


def _evaluated(theta: Array, opening: Evaluation, inner: InnerSolution) -> ReducedEvaluation:
    return ReducedEvaluation(theta, opening, inner, outer_gradient(opening, inner.at, inner.last))


def outer_gradient(opening: Evaluation, inner: Evaluation, last: Linearization) -> Array:
    """g₁, of the opening and of the last phase at some w."""
    seed = np.zeros_like(inner.output)
    for weight, term in inner.terminal:
        seed += weight * term.gradient()
    p, _ = last.vjp(seed)
    return opening.adjoint(p) + opening.penalty_gradient()
