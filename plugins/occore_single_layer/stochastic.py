"""Stochastic approximation: what `sgd`, `adagrad` and `adam` share.

    J_B(θ) = (N/|B|) Σ_{i ∈ B} Φ_i(θ) + R(θ),    E J_B = J,    E ∇J_B = ∇J

Each epoch goes through all N samples once, in a random order that depends on `seed` and the number
of the epoch alone, and makes one update for each mini-batch B. One iteration is one epoch: two
work units, a sweep forward and one back over all samples.

symbol   code        meaning
B        indices     samples of a mini-batch; the last of an epoch may be short
g        g           ∇J_B where the method wants it
η        rate        learning rate, which follows a schedule from one update to the next
—        carried     (rows, size), what a method carries from update to update

The objective and the gradient norm of an iteration are those of the epoch, at no cost: J_B and ∇J_B
averaged over the mini-batches, each at the θ that it met; so they lag half an epoch behind. With
`exact_values` both are evaluated anew at the end of each epoch, for two more work units.

A batch of all samples makes an epoch one step with the full gradient, without an order of samples;
J and its gradient are then those at the start of the step.

Robbins and Monro, Ann. Math. Statist. 22 (1951), 400–407; Bottou, Curtis and Nocedal, SIAM Rev. 60
(2018), 223–311.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from occore import Array, Example, Optimizer, Problem, State, Status, norm, overridable, stop
from occore_classification.proximal import prox_gradient, rough_value
from occore_single_layer.schedules import ScheduleName, decay, ramp


@dataclass(frozen=True)
class StochasticState(State):
    """What the method carries along, the updates so far, and the first gradient norm."""

    carried: Array
    updates: int
    initial_gradient_norm: float


@dataclass(frozen=True)
class StochasticOptimizer(Optimizer[StochasticState]):
    """Mini-batches, learning rate and stopping; a subclass makes one update."""

    resume: ClassVar[Literal["exact", "restart"]] = "exact"
    state: ClassVar[type[State]] = StochasticState
    rows: ClassVar[int]
    """How many vectors the method carries along, all zero at the start."""

    max_iterations: Annotated[int, Field(gt=0, description="epochs at most")] = 100
    batch: Annotated[
        int,
        Field(gt=0, description="samples of a mini-batch; all of them or more: the full gradient"),
    ] = 32
    learning_rate: Annotated[float, Field(gt=0, description="of the first update, η")] = 0.01
    schedule: Annotated[ScheduleName, Field(description="how the learning rate falls")] = "constant"
    half_life: Annotated[
        float, Field(gt=0, description="epochs until a rate that falls is halved")
    ] = 10.0
    warm_up: Annotated[
        float, Field(ge=0, description="epochs over which the rate rises from zero")
    ] = 0.0
    seed: Annotated[int, Field(ge=0, description="of the order of the samples")] = 0
    exact_values: Annotated[
        bool, Field(description="J and its gradient evaluated after each epoch, as more work")
    ] = False
    tolerance: Annotated[
        float, Field(ge=0, description="gradient norm relative to max(1, the first one)")
    ] = 0.0

    @abstractmethod
    def update(
        self, problem: Problem, theta: Array, carried: Array, g: Array, rate: float, updates: int
    ) -> None:
        """One update of θ and of what is carried, in place; g may be overwritten.

        updates: how many there have been, this one included.
        """

    @overridable
    def point(self, theta: Array, carried: Array) -> Array:
        """Where the gradient is taken."""
        return theta

    def init(self, problem: Problem, theta: Array) -> StochasticState:
        """Value and gradient at the start."""
        value, size = self._exact(problem, theta)
        carried = np.zeros((self.rows, theta.size), theta.dtype)
        return StochasticState(0, value, size, float("nan"), carried, 0, size)

    def step(
        self, problem: Problem, theta: Array, state: StochasticState
    ) -> tuple[Array, StochasticState]:
        """One epoch."""
        theta, carried, updates = theta.copy(), state.carried.copy(), state.updates
        value, mean, rate = 0.0, np.zeros_like(theta), self.learning_rate
        for part, epoch in self._minibatches(problem, state.iteration):
            share = part.data.samples / problem.data.samples
            rate, at = self._rate(epoch, share), self.point(theta, carried)
            smooth_value, g = part.smooth_part.value_and_gradient(at)
            value += share * (smooth_value + rough_value(part, at))
            mean += share * g
            updates += 1
            self.update(problem, theta, carried, g, rate, updates)
        if self.exact_values:
            value, size = self._exact(problem, theta)
        else:
            size = self._size(problem, theta, mean)
        return theta, replace(
            state,
            iteration=state.iteration + 1,
            value=value,
            gradient_norm=size,
            step_length=rate,
            carried=carried,
            updates=updates,
        )

    def finished(self, problem: Problem, theta: Array, state: StochasticState) -> Status | None:
        """By the gradient norm, where a tolerance is given, or by the number of epochs."""
        return stop(
            state,
            initial=max(1.0, state.initial_gradient_norm),
            tolerance=self.tolerance,
            max_iterations=self.max_iterations,
        )

    @classmethod
    @abstractmethod
    def example(cls) -> Example:
        """A small problem that is solved by hand."""

    def _minibatches(self, problem: Problem, epoch: int) -> Iterator[tuple[Problem, float]]:
        """The problem on each mini-batch of an epoch, and the time in epochs at which it comes."""
        samples = problem.data.samples
        if self.batch >= samples:
            yield problem, float(epoch)
            return
        order = np.random.default_rng([self.seed, epoch]).permutation(samples)
        for start in range(0, samples, self.batch):
            yield problem.minibatch(order[start : start + self.batch]), epoch + start / samples

    def _rate(self, epoch: float, share: float) -> float:
        falling = decay(self.schedule, epoch, half_life=self.half_life, epochs=self.max_iterations)
        return self.learning_rate * falling * ramp(epoch, share, self.warm_up)

    def _exact(self, problem: Problem, theta: Array) -> tuple[float, float]:
        """J(θ) and the norm of its gradient."""
        value, g = problem.smooth_part.value_and_gradient(theta)
        return value + rough_value(problem, theta), self._size(problem, theta, g)

    def _size(self, problem: Problem, theta: Array, g: Array) -> float:
        """The norm of a gradient; of the prox-gradient with the first step η where J has kinks."""
        return norm(prox_gradient(problem, theta, g, 1 / self.learning_rate))
