"""Proximal gradient steps: what `proximal_gradient`, `fista` and `nesterov` share.

    minimise J(θ) = f(θ) + R(θ),    θ⁺ = prox_{R/ℓ}(y − ∇f(y)/ℓ),    y = θ + β (θ − θ₋)

symbol   code             meaning
f        smooth           the problem without its term with kinks
R        rough            that term, with its proximal map; none of it for a smooth problem
ℓ        lipschitz        estimate of the Lipschitz constant of ∇f, doubled until
                          f(θ⁺) ≤ f(y) + ∇f(y)ᵀ(θ⁺ − y) + ℓ/2 ‖θ⁺ − y‖²
y, β     y, beta          extrapolated point; β = 0 without momentum

The measure of stationarity is the norm of the prox-gradient ℓ (θ − prox_{R/ℓ}(θ − ∇f(θ)/ℓ)), which
is ∇f(θ) where there is no R. Parikh and Boyd, Proximal Algorithms (2014), sections 4.2 and 4.3;
momentum of Nesterov, t₊ = (1 + √(1 + 4 t²))/2 and β = (t − 1)/t₊, by Beck and Teboulle, SIAM J.
Imaging Sci. 2 (2009), with the restart of O'Donoghue and Candès, Found. Comput. Math. 15 (2015):
where (y − θ⁺)ᵀ(θ⁺ − θ) > 0 the momentum points uphill and is forgotten.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from occore import Array, Example, Optimizer, Problem, State, Status, norm
from occore_classification.smooth import SmoothState, stop_smooth
from occore_classification.smooth_line import rounding_of

MOST_DOUBLINGS = 60


@dataclass(frozen=True)
class ProximalState(SmoothState):
    """∇f at the iterate (g), f there, the iterate before, the momentum t and the estimate ℓ."""

    smooth_value: float
    previous: Array
    t: float
    lipschitz: float


@dataclass(frozen=True)
class ProximalOptimizer(Optimizer[ProximalState]):
    """Options and stopping; `momentum` says whether y is extrapolated."""

    resume: ClassVar[Literal["exact", "restart"]] = "exact"
    state: ClassVar[type[State]] = ProximalState
    momentum: ClassVar[bool]

    max_iterations: Annotated[int, Field(gt=0, description="steps at most")] = 1000
    tolerance: Annotated[
        float, Field(ge=0, description="prox-gradient norm relative to max(1, the first one)")
    ] = 1e-6

    def init(self, problem: Problem, theta: Array) -> ProximalState:
        """Value and gradient at the start, and the curvature along the gradient for ℓ."""
        f = problem.smooth_part
        smooth_value, g = f.value_and_gradient(theta)
        lipschitz = _curvature(f, theta, g)
        size = norm(prox_gradient(problem, theta, g, lipschitz))
        return ProximalState(
            iteration=0,
            value=problem.value(theta),
            gradient_norm=size,
            step_length=float("nan"),
            g=g,
            initial_gradient_norm=size,
            failed=False,
            smooth_value=smooth_value,
            previous=theta.copy(),
            t=1.0,
            lipschitz=lipschitz,
        )

    def step(
        self, problem: Problem, theta: Array, state: ProximalState
    ) -> tuple[Array, ProximalState]:
        """One step from the extrapolated point, with ℓ as large as it must be."""
        f, counted = problem.smooth_part, replace(state, iteration=state.iteration + 1)
        t = (1 + math.sqrt(1 + 4 * state.t**2)) / 2 if self.momentum else 1.0
        beta = (state.t - 1) / t
        y, value_y, g_y = theta, state.smooth_value, state.g
        if beta > 0:
            y = theta + beta * (theta - state.previous)
            value_y, g_y = f.value_and_gradient(y)
        lipschitz = state.lipschitz
        for _ in range(MOST_DOUBLINGS):
            after = proximal_point(problem, y - g_y / lipschitz, 1 / lipschitz)
            d = after - y
            at = f.at(after)
            bound = value_y + float(g_y @ d) + lipschitz / 2 * float(d @ d)
            if at.value <= bound + rounding_of(problem, value_y):
                break
            lipschitz *= 2
        else:
            return theta, replace(counted, failed=True)
        g = at.gradient()
        uphill = float((y - after) @ (after - theta)) > 0
        return after, replace(
            counted,
            value=at.value + rough_value(problem, after),
            gradient_norm=norm(prox_gradient(problem, after, g, lipschitz)),
            step_length=1 / lipschitz,
            g=g,
            smooth_value=at.value,
            previous=theta,
            t=1.0 if uphill else t,
            lipschitz=lipschitz,
        )

    def finished(self, problem: Problem, theta: Array, state: ProximalState) -> Status | None:
        """By the norm of the prox-gradient."""
        return stop_smooth(self.tolerance, self.max_iterations, problem, theta, state)

    @classmethod
    @abstractmethod
    def example(cls) -> Example:
        """A small problem that is solved by hand."""


def proximal_point(problem: Problem, v: Array, s: float) -> Array:
    """prox_{sR}(v); v itself where the problem has no term with kinks."""
    for weight, term in problem.penalties:
        if not term.smooth:
            assert term.proximal is not None  # noqa: S101 - the structure was required
            v = problem.flatten(term.proximal(problem.unflatten(v), s * weight))
    return v


def prox_gradient(problem: Problem, theta: Array, g: Array, lipschitz: float) -> Array:
    """ℓ (θ − prox_{R/ℓ}(θ − g/ℓ)); g itself, to the last bit, without R."""
    if problem.smooth_part is problem:
        return g
    return lipschitz * (theta - proximal_point(problem, theta - g / lipschitz, 1 / lipschitz))


def rough_value(problem: Problem, theta: Array) -> float:
    """R(θ); zero for a smooth problem."""
    controls = problem.unflatten(theta)
    return sum(float(w * term(controls)) for w, term in problem.penalties if not term.smooth)


def _curvature(f: Problem, theta: Array, g: Array) -> float:
    """Curvature of f along its gradient, a lower bound of ℓ; 1 where there is none."""
    size = norm(g)
    if size == 0:
        return 1.0
    step = math.sqrt(float(np.finfo(theta.dtype).eps)) * max(1.0, norm(theta))
    _, moved = f.value_and_gradient(theta + (step / size) * g)
    return norm(moved - g) / step or 1.0
