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

With `updates` an iteration is so many mini-batches instead, and the epochs go on from one to the
next; the means are then those of its mini-batches. With `last_layer` the controls of the last
phase are found anew at the end of each iteration, from zero, by another optimizer on the end states
of the phases before it: block coordinate descent. That needs the structure separable; the objective
of the iteration is then J with these controls, of the samples for which they were found.

Robbins and Monro, Ann. Math. Statist. 22 (1951), 400–407; Bottou, Curtis and Nocedal, SIAM Rev. 60
(2018), 223–311. The last layer by itself: Cyr, Gulian, Patel, Perego and Trask, MSML, PMLR 107
(2020), 512–536, for least squares; Patel, Trask, Gulian and Cyr, arXiv 2006.10123, for softmax.
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
from occore_single_layer.last_layer import require_last_layer, solved_for_last_layer
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

    max_iterations: Annotated[int, Field(gt=0, description="iterations at most")] = 100
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
    updates: Annotated[
        int | None,
        Field(gt=0, description="mini-batches of an iteration; those of one epoch where not given"),
    ] = None
    last_layer: Annotated[
        Optimizer | None,
        Field(description="what finds the controls of the last phase anew after each iteration"),
    ] = None
    last_layer_samples: Annotated[
        int | None,
        Field(gt=0, description="how many samples it is given, drawn anew; all where not given"),
    ] = None
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
        """Value and gradient at the start. Raises StructureError for what `last_layer` needs."""
        if self.last_layer is not None:
            require_last_layer(self.last_layer, problem, theta)
        value, size = self._exact(problem, theta)
        carried = np.zeros((self.rows, theta.size), theta.dtype)
        return StochasticState(0, value, size, float("nan"), carried, 0, size)

    def step(
        self, problem: Problem, theta: Array, state: StochasticState
    ) -> tuple[Array, StochasticState]:
        """One epoch, or `updates` mini-batches; then the last layer."""
        theta, carried, updates = theta.copy(), state.carried.copy(), state.updates
        value, mean, seen, rate = 0.0, np.zeros_like(theta), 0.0, self.learning_rate
        for part, epoch in self._minibatches(problem, updates):
            share = part.data.samples / problem.data.samples
            rate = self._rate(problem.data.samples, epoch, share)
            at = self.point(theta, carried)
            smooth_value, g = part.smooth_part.value_and_gradient(at)
            value += share * (smooth_value + rough_value(part, at))
            mean += share * g
            seen += share
            updates += 1
            self.update(problem, theta, carried, g, rate, updates)
        value, mean = value / seen, mean / seen
        if self.last_layer is not None:
            theta, value = self._with_last_layer(self.last_layer, problem, theta, updates)
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

    def _minibatches(self, problem: Problem, updates: int) -> Iterator[tuple[Problem, float]]:
        """The problem on each mini-batch of an iteration, and the time in epochs at which it comes.

        updates: how many there have been. The order of an epoch does not depend on them.
        """
        samples, order, drawn = problem.data.samples, np.zeros(0, int), -1
        of_epoch = self._updates_of_epoch(samples)
        for update in range(updates, updates + (self.updates or of_epoch)):
            epoch, place = divmod(update, of_epoch)
            if of_epoch == 1:
                yield problem, float(epoch)
                continue
            if epoch != drawn:
                order = np.random.default_rng([self.seed, epoch]).permutation(samples)
                drawn = epoch
            start = place * self.batch
            yield problem.minibatch(order[start : start + self.batch]), epoch + start / samples

    def _updates_of_epoch(self, samples: int) -> int:
        return -(-samples // self.batch)

    def _rate(self, samples: int, epoch: float, share: float) -> float:
        of_epoch = self._updates_of_epoch(samples)
        epochs = self.max_iterations * (self.updates or of_epoch) / of_epoch
        falling = decay(self.schedule, epoch, half_life=self.half_life, epochs=epochs)
        return self.learning_rate * falling * ramp(epoch, share, self.warm_up)

    def _with_last_layer(
        self, method: Optimizer, problem: Problem, theta: Array, updates: int
    ) -> tuple[Array, float]:
        """θ with the controls of the last phase found anew, and J there, of the samples taken."""
        samples, count = problem.data.samples, self.last_layer_samples
        if count is not None and count < samples:
            rng = np.random.default_rng([self.seed, updates, 1])
            problem = problem.minibatch(rng.permutation(samples)[:count])
        return solved_for_last_layer(method, problem, theta)

    def _exact(self, problem: Problem, theta: Array) -> tuple[float, float]:
        """J(θ) and the norm of its gradient."""
        value, g = problem.smooth_part.value_and_gradient(theta)
        return value + rough_value(problem, theta), self._size(problem, theta, g)

    def _size(self, problem: Problem, theta: Array, g: Array) -> float:
        """The norm of a gradient; of the prox-gradient with the first step η where J has kinks."""
        return norm(prox_gradient(problem, theta, g, 1 / self.learning_rate))
