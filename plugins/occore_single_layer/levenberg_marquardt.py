"""Levenberg–Marquardt: Gauss–Newton with a damping in place of a radius, matrix-free or not.

    (B + μ I) p = −g,    ρ = (J(θ) − J(θ + p)) / (m(0) − m(p))

    ρ > 0:   θ ← θ + p,  μ ← μ max(⅓, 1 − (2ρ − 1)³),  ν ← 2
    else     μ ← ν μ,  ν ← 2 ν

symbol   code      meaning
B                  the Gauss–Newton matrix, see `occore_single_layer.gauss_newton`
μ        damping   0 before the first step, which takes `first_damping` · gᵀBg/gᵀg
ν        growth    by which a failure multiplies μ, twice as much each time

With B as a matrix (`inner = "cholesky"`) another μ costs no sweep but that of its trial, so that a
step goes on until one will do; its assembly is in `occore_single_layer.gauss_newton_matrix`.

K. Levenberg (1944), D. Marquardt (1963); the update of μ is H. B. Nielsen's (IMM-REP-1999-05,
equation 2.4), which has no jumps and no thresholds to choose.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from occore import Array, Evaluation, Problem, State
from occore_classification.conjugate_gradients import ModelStep
from occore_classification.kept_evaluation import evaluation_of
from occore_classification.smooth import SmoothOptimizer
from occore_classification.trust_region import (
    InexactState,
    accepted,
    decrease_ratio,
    first_inexact,
)
from occore_single_layer.gauss_newton import MostInner, check_inner, gauss_newton_step
from occore_single_layer.gauss_newton_matrix import (
    check_matrix,
    cholesky_step,
    gauss_newton_matrix,
)


@dataclass(frozen=True)
class DampedState(InexactState):
    """Damping μ, and ν."""

    damping: float
    growth: float


@dataclass(frozen=True)
class LevenbergMarquardt(SmoothOptimizer[DampedState]):
    """Steadier than a radius where B is singular; a rejected step costs its inner iterations."""

    state: ClassVar[type[State]] = DampedState

    carries: ClassVar[tuple[str, ...]] = ("damping", "growth")

    inner: Annotated[
        Literal["cg", "lsqr", "cholesky"],
        Field(
            description="what solves for a step; lsqr: where the objective is a sum of squares; "
            "cholesky: with B as a matrix, for up to some thousand unknowns and few outputs"
        ),
    ] = "cg"
    max_inner: MostInner = 100
    first_damping: Annotated[
        float, Field(gt=0, description="μ at the start, relative to the curvature along g")
    ] = 1e-2

    def init(self, problem: Problem, theta: Array) -> DampedState:
        """Value and gradient. Raises StructureError where the inner solver does not fit."""
        check_inner(problem, self.inner)
        first = first_inexact(problem, theta)
        if self.inner == "cholesky":
            check_matrix(evaluation_of(problem, theta))
        return DampedState(**asdict(first), damping=0.0, growth=2.0)

    def step(self, problem: Problem, theta: Array, state: DampedState) -> tuple[Array, DampedState]:
        """One damped step; a rejected one leaves θ and raises μ, of a matrix until one will do."""
        here = evaluation_of(problem, theta)
        B = gauss_newton_matrix(here) if self.inner == "cholesky" else None
        if state.damping == 0:
            state = replace(state, damping=self._first_damping(here, state, B))
        while True:
            found = self._found(here, state, B)
            trial = theta + found.p
            evaluation = problem.at(trial)
            decrease = found.decrease + state.damping * found.length**2 / 2
            ratio = decrease_ratio(problem, state.value, evaluation.value, decrease)
            if ratio > 0:
                theta, after = accepted(problem, trial, state, evaluation, found.length)
                damping = state.damping * max(1 / 3, 1 - (2 * ratio - 1) ** 3)
                after = replace(after, damping=damping, growth=2.0)
                return theta, after.after(state, found.iterations)
            state = replace(
                state,
                inner_iterations=state.inner_iterations + found.iterations,
                damping=state.growth * state.damping,
                growth=2 * state.growth,
                failed=bool(np.all(trial == theta)),
            )
            if B is None or state.failed:
                return theta, replace(state, iteration=state.iteration + 1)

    def _first_damping(self, here: Evaluation, state: DampedState, B: Array | None) -> float:
        if state.gradient_norm == 0:
            return self.first_damping
        d = state.g / state.gradient_norm
        curvature = float(d @ (here.gauss_newton_product(d) if B is None else B @ d))
        return self.first_damping * (curvature or 1.0)

    def _found(self, here: Evaluation, state: DampedState, B: Array | None) -> ModelStep:
        if B is not None:
            return cholesky_step(B, state.g, state.damping)
        return gauss_newton_step(
            here,
            state,
            inner=self.inner,
            damping=state.damping,
            accuracy=state.accuracy(self.tolerance),
            max_iterations=self.max_inner,
        )
