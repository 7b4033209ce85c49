"""Levenberg–Marquardt: Gauss–Newton with a damping in place of a radius, matrix-free.

    (B + μ I) p = −g,    ρ = (J(θ) − J(θ + p)) / (m(0) − m(p))

    ρ > 0:   θ ← θ + p,  μ ← μ max(⅓, 1 − (2ρ − 1)³),  ν ← 2
    else     μ ← ν μ,  ν ← 2 ν

symbol   code      meaning
B                  the Gauss–Newton matrix, see `occore_single_layer.gauss_newton`
μ        damping   at the start `first_damping` times the curvature gᵀBg/gᵀg
ν        growth    by which a failure multiplies μ, twice as much each time

K. Levenberg (1944), D. Marquardt (1963); the update of μ is H. B. Nielsen's (IMM-REP-1999-05,
equation 2.4), which has no jumps and no thresholds to choose.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from occore import Array, Problem, State
from occore_classification.kept_evaluation import evaluation_of
from occore_classification.smooth import SmoothOptimizer
from occore_classification.trust_region import (
    InexactState,
    accepted,
    decrease_ratio,
    first_inexact,
)
from occore_single_layer.gauss_newton import Inner, MostInner, check_inner, gauss_newton_step


@dataclass(frozen=True)
class DampedState(InexactState):
    """Damping μ, and ν."""

    damping: float
    growth: float


@dataclass(frozen=True)
class LevenbergMarquardt(SmoothOptimizer[DampedState]):
    """Steadier than a radius where B is singular; a rejected step costs its inner iterations."""

    state: ClassVar[type[State]] = DampedState

    inner: Inner = "cg"
    max_inner: MostInner = 100
    first_damping: Annotated[
        float, Field(gt=0, description="μ at the start, relative to the curvature along g")
    ] = 1e-2

    def init(self, problem: Problem, theta: Array) -> DampedState:
        """Value, gradient, curvature. Raises StructureError where the inner solver does not fit."""
        check_inner(problem, self.inner)
        first, damping = first_inexact(problem, theta), self.first_damping
        if first.gradient_norm > 0:
            d = first.g / first.gradient_norm
            curvature = float(d @ evaluation_of(problem, theta).gauss_newton_product(d))
            damping *= curvature or 1.0
        return DampedState(**asdict(first), damping=damping, growth=2.0)

    def step(self, problem: Problem, theta: Array, state: DampedState) -> tuple[Array, DampedState]:
        """One damped step; a rejected one leaves θ and raises μ."""
        here = evaluation_of(problem, theta)
        found = gauss_newton_step(
            here,
            state,
            inner=self.inner,
            damping=state.damping,
            accuracy=state.accuracy(self.tolerance),
            max_iterations=self.max_inner,
        )
        trial = theta + found.p
        evaluation = problem.at(trial)
        decrease = found.decrease + state.damping * found.length**2 / 2
        ratio = decrease_ratio(problem, state.value, evaluation.value, decrease)
        if ratio > 0:
            theta, after = accepted(problem, trial, state, evaluation, found.length)
            damping = state.damping * max(1 / 3, 1 - (2 * ratio - 1) ** 3)
            after = replace(after, damping=damping, growth=2.0)
            return theta, after.after(state, found.iterations)
        return theta, replace(
            state,
            iteration=state.iteration + 1,
            inner_iterations=state.inner_iterations + found.iterations,
            damping=state.growth * state.damping,
            growth=2 * state.growth,
            failed=bool(np.all(trial == theta)),
        )
