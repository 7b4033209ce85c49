"""Sample average approximation: a deterministic method on a sample, which is drawn anew as it goes.

    J_k(θ) = (N/n_k) Σ_{i ∈ S_k} Φ_i(θ) + R(θ),    n_k = min(N, ⌈n₀ γᵏ⌉)

Iteration k draws a sample S_k of n_k of the N samples and takes some steps of the method on J_k,
from where the last iteration ended. Stochastic approximation makes one step on a mini-batch; here
line searches and curvature can work on a sample, at the price of fitting what is particular to it.
Samples that grow end with all of the data, where the method converges to a minimiser of J.

Objective and gradient norm of an iteration are those of J_k where it ended, which flatters θ, since
it was fitted to that sample; `exact_values` evaluates J itself, for two more work units.

A method starts afresh on each sample, but for the numbers that its class `carries`: the damping of
`levenberg_marquardt`, which keeps its steps from fitting what is particular to a sample.

symbol   code         meaning
n₀, γ    sample       size of the first sample, and the factor of its growth (`growth`)
S_k      indices      drawn anew in each iteration with `resample`; else the first n_k of one order

Shapiro, Dentcheva and Ruszczyński, Lectures on Stochastic Programming (2009), chapter 5; growing
samples: Byrd, Chin, Nocedal and Wu, Math. Program. 134 (2012), 127–155.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from occore import (
    Array,
    Example,
    Optimizer,
    Problem,
    State,
    Status,
    Structure,
    norm,
    stop,
)
from occore_single_layer.last_layer import require_fit


@dataclass(frozen=True)
class SAAState(State):
    """Size of the last sample, the first gradient norm, and whether all of the data are solved.

    carried: what the method carries from one sample to the next, (numbers,).
    """

    samples: int
    initial_gradient_norm: float
    settled: bool
    carried: Array


@dataclass(frozen=True)
class SAA(Optimizer[SAAState]):
    """Steps of a deterministic method on samples that grow, or are drawn anew."""

    resume: ClassVar[Literal["exact", "restart"]] = "exact"
    requires: ClassVar[tuple[Structure, ...]] = ("smooth",)
    state: ClassVar[type[State]] = SAAState

    method: Annotated[Optimizer, Field(description="what makes the steps on each sample")]
    max_iterations: Annotated[int, Field(gt=0, description="samples at most")] = 50
    steps: Annotated[int, Field(gt=0, description="iterations of the method on each sample")] = 5
    sample: Annotated[int, Field(gt=0, description="size of the first sample, n₀")] = 256
    growth: Annotated[float, Field(ge=1, description="γ, of the sample each time")] = 1.2
    resample: Annotated[
        bool, Field(description="whether samples are drawn anew; else they contain the last one")
    ] = True
    seed: Annotated[int, Field(ge=0, description="of the samples")] = 0
    exact_values: Annotated[
        bool, Field(description="J and its gradient evaluated after each sample, as more work")
    ] = False
    tolerance: Annotated[
        float, Field(ge=0, description="gradient norm relative to max(1, the first one)")
    ] = 0.0

    def init(self, problem: Problem, theta: Array) -> SAAState:
        """Value and gradient of all samples. Raises StructureError for what the method needs."""
        require_fit(self.method, problem, "method")
        value, size = _exact(problem, theta)
        samples, none = problem.data.samples, np.zeros(0)
        return SAAState(0, value, size, float("nan"), samples, size, False, none)

    def step(self, problem: Problem, theta: Array, state: SAAState) -> tuple[Array, SAAState]:
        """One sample."""
        part, method, status = self._sampled(problem, state.iteration), self.method, None
        inner = method.init(part, theta)
        carried = map(float, state.carried)
        inner = replace(inner, **dict(zip(method.carries, carried, strict=False)))
        for _ in range(self.steps):
            status = method.finished(part, theta, inner)
            if status is not None:
                break
            theta, inner = method.step(part, theta, inner)
        value, size = inner.value, inner.gradient_norm
        if self.exact_values:
            value, size = _exact(problem, theta)
        return theta, replace(
            state,
            iteration=state.iteration + 1,
            value=value,
            gradient_norm=size,
            step_length=inner.step_length,
            samples=part.data.samples,
            carried=np.array([getattr(inner, name) for name in method.carries], float),
            settled=part is problem and status in (Status.CONVERGED, Status.SOLVED),
        )

    def finished(self, problem: Problem, theta: Array, state: SAAState) -> Status | None:
        """Where the method converged on all samples, by the gradient norm, or by the limit."""
        if state.settled:
            return Status.CONVERGED
        return stop(
            state,
            initial=max(1.0, state.initial_gradient_norm),
            tolerance=self.tolerance,
            max_iterations=self.max_iterations,
        )

    def _sampled(self, problem: Problem, iteration: int) -> Problem:
        """The problem on the sample of an iteration; itself where that is all samples."""
        samples = problem.data.samples
        if iteration * math.log(self.growth) > math.log(samples):
            return problem  # before the power overflows
        size = math.ceil(self.sample * self.growth**iteration)
        if size >= samples:
            return problem
        seed = [self.seed, iteration] if self.resample else [self.seed]
        return problem.minibatch(np.random.default_rng(seed).permutation(samples)[:size])

    @classmethod
    def example(cls) -> Example:
        """A line through (0, 1), (1, 3), (2, 5): y = 1 + 2 x, by hand."""
        from occore_classification.lbfgs import LBFGS
        from occore_least_squares.direct import line

        method = cls(LBFGS(tolerance=1e-12), sample=2, growth=1.1, steps=2, exact_values=True)
        return replace(line(method), rtol=1e-7)


def _exact(problem: Problem, theta: Array) -> tuple[float, float]:
    """J(θ) and the norm of its gradient."""
    value, g = problem.value_and_gradient(theta)
    return value, norm(g)
