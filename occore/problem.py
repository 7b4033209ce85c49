"""A problem: a chain of phases, an objective and data. Optimizers see J(θ) through it.

    J(θ) = Φ(x_end(θ); target) + ∫ ℓ dt + R(θ),    x_end = the phases one after the other

`at(theta)` evaluates the chain once and hands out every derivative at that point, so that nothing
is evaluated twice between value and gradient. No result depends on an earlier evaluation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from occore.arrays import Array, Controls, array_namespace, joined
from occore.chain import Chain, OnePiece, Sweeps
from occore.data import Data
from occore.dynamics import StateShape
from occore.engines import Engine, Threads
from occore.evaluation import Evaluation
from occore.layout import Layout
from occore.objective import (
    ControlObjective,
    EndObjective,
    Objective,
    PhaseControls,
    RunningObjective,
    TerminalObjective,
    Total,
)
from occore.phase import Phase
from occore.running import RunningTotal, carry_cost, join
from occore.shards import InShards, can_be_cut, cuts


@dataclass
class Counts:
    """How often the chain was swept; a sweep over some of the samples counts as their share."""

    forward: float = 0.0
    tangent: float = 0.0
    adjoint: float = 0.0

    @property
    def work(self) -> float:
        """Sweeps of any kind over all samples: the unit in which optimizers are compared."""
        return self.forward + self.tangent + self.adjoint


@dataclass(frozen=True)
class Problem:
    """minimise J(θ) over the flat vector θ of all controls.

    whole: how many samples the problem has that this one is a `subset` of; None where it is none.
    part: the share of the unknowns of the problem that this one is an `excerpt` of.
    engine: where shards of the samples are worked on, if there are some, see `occore.shards`.
    """

    phases: tuple[Phase, ...]
    objective: Objective
    data: Data
    counts: Counts = field(default_factory=Counts, compare=False)
    whole: int | None = None
    part: float = 1.0
    engine: Engine = field(default_factory=Threads)

    @cached_property
    def layout(self) -> Layout:
        """Names `phase/control` and shapes of the parts of θ."""
        layout = Layout({})
        for phase in self.phases:
            layout = layout + phase.layout.prefixed(phase.name)
        return layout

    @property
    def size(self) -> int:
        """Number of unknowns."""
        return self.layout.size

    @property
    def dtype(self) -> np.dtype:
        """Precision of the computation: that of the data."""
        return self.data.inputs.dtype

    @cached_property
    def terminal(self) -> tuple[tuple[float, TerminalObjective], ...]:
        """The weighted terminal terms."""
        terms = self.objective.terms
        return tuple((w, term) for w, term in terms if isinstance(term, TerminalObjective))

    @cached_property
    def ends(self) -> tuple[tuple[float, EndObjective], ...]:
        """The weighted terms in both ends and the controls."""
        terms = self.objective.terms
        return tuple((w, term) for w, term in terms if isinstance(term, EndObjective))

    @cached_property
    def penalties(self) -> tuple[tuple[float, ControlObjective], ...]:
        """The weighted control terms."""
        terms = self.objective.terms
        return tuple((w, term) for w, term in terms if isinstance(term, ControlObjective))

    @cached_property
    def smooth_part(self) -> Problem:
        """The same problem without its terms that have kinks; it shares the counts."""
        terms = self.objective.terms
        kept = tuple((w, term) for w, term in terms if getattr(term, "smooth", True))
        return self if len(kept) == len(terms) else replace(self, objective=Total(kept))

    @cached_property
    def controlled_part(self) -> Problem:
        """The same problem from its first phase with controls on; it shares the counts.

        What the phases before give depends on no θ, such as the features of a random layer, and is
        evaluated once. With terms in the start states, or costs on the way, it is the whole.
        """
        if self.ends or self.running is not None:
            return self
        count = next((k for k, phase in enumerate(self.phases) if phase.layout.size), 0)
        if count == 0:
            return self
        x = self.data.inputs
        for phase in self.phases[:count]:
            x = phase(x, {})
        return replace(self, phases=self.phases[count:], data=replace(self.data, inputs=x))

    @cached_property
    def running(self) -> RunningObjective | None:
        """The sum of the running terms, if there are any."""
        terms = self.objective.terms
        weighted = tuple((w, term) for w, term in terms if isinstance(term, RunningObjective))
        return RunningTotal(weighted) if weighted else None

    @cached_property
    def output_shape(self) -> StateShape:
        """Shape of one sample of the end state."""
        return self._shapes[-1]

    @cached_property
    def links(self) -> tuple[Phase, ...]:
        """The phases, with a running cost as an entry more of their states if there is one."""
        if self.running is None:
            return self.phases
        pairs = zip(self.phases, self._shapes, strict=False)
        return tuple(carry_cost(phase, self.running, shape) for phase, shape in pairs)

    @cached_property
    def _shapes(self) -> list[StateShape]:
        """Shape of the state before each phase, and of the end state."""
        shapes: list[StateShape] = [self.data.inputs.shape[1:]]
        for phase in self.phases:
            shapes.append(phase.dynamics.output_shape or shapes[-1])
        return shapes

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What follows from the problem alone, such as matrices; made when first asked for, once.

        As `functools.cached_property` does: a problem never changes, and a changed copy has none.
        """
        derived = self.__dict__.setdefault("_derived", {})
        if name not in derived:
            derived[name] = make()
        return derived[name]

    def subset(self, indices: Array) -> Problem:
        """The same problem on some of the samples: a mini-batch or a shard.

        It shares the counts, to which a sweep over it adds its share of all samples.
        """
        return self._on(self.data.subset(indices), self.objective)

    def minibatch(self, indices: Array) -> Problem:
        """A `subset` that stands for all: J_B = (N/|B|) Σ_B Φ + R, where Φ is a sum over samples.

        For samples drawn at random its value and gradient are unbiased estimates of J and ∇J. A
        mean over the samples is one already, and a control term has no samples.
        """
        data = self.data.subset(indices)
        factor = self.data.samples / data.samples
        weighted = self.objective.terms
        terms = tuple((w * factor if _adds_up(term) else w, term) for w, term in weighted)
        return self._on(data, Total(terms))

    def _on(self, data: Data, objective: Objective) -> Problem:
        """A problem on some of the samples, with what follows from the phases handed on to it."""
        whole = self.data.samples if self.whole is None else self.whole
        part = replace(self, data=data, objective=objective, whole=whole)
        part.__dict__.update(layout=self.layout, _shapes=self._shapes, _paths=self._paths)
        return part

    def excerpt(self, phases: tuple[Phase, ...], objective: Objective, data: Data) -> Problem:
        """A problem of some of the phases, with data and an objective of its own.

        It shares the counts, to which a sweep over it adds its share of the unknowns.
        """
        made = replace(self, phases=phases, objective=objective, data=data)
        return replace(made, part=self.part * made.size / self.size)

    def count(self, *, forward: int = 0, tangent: int = 0, adjoint: int = 0) -> None:
        """Note sweeps over the samples of this problem."""
        share = self.part * (1.0 if self.whole is None else self.data.samples / self.whole)
        self.counts.forward += share * forward
        self.counts.tangent += share * tangent
        self.counts.adjoint += share * adjoint

    @property
    def uncounted(self) -> Problem:
        """The same problem with counts of its own: a look at it that is no work."""
        return replace(self, counts=Counts())

    def initial_controls(self, rng: np.random.Generator) -> Array:
        """Where an optimizer starts, a vector (size,)."""
        start = {phase.name: phase.initial_controls(rng) for phase in self.phases}
        return self.flatten(start).astype(self.dtype)

    def flatten(self, controls: PhaseControls) -> Array:
        """The flat vector of the controls of each phase; what is left out is zero."""
        theta = {
            f"{phase}/{name}": value
            for phase, named in controls.items()
            for name, value in named.items()
        }
        if len(theta) < len(self.layout):
            theta = self.layout.zeros(self.dtype) | theta
        return self.layout.flatten(theta)

    def unflatten(self, theta: Array) -> PhaseControls:
        """The controls of each phase, views into θ."""
        named = self.layout.unflatten(theta)
        return {
            phase: {name: named[path] for name, path in paths.items()}
            for phase, paths in self._paths.items()
        }

    @cached_property
    def _paths(self) -> dict[str, dict[str, str]]:
        """The names of the controls of each phase, and what they are called in `layout`."""
        return {
            phase.name: {name: f"{phase.name}/{name}" for name in phase.layout}
            for phase in self.phases
        }

    def output(self, theta: Array, inputs: Array | None = None) -> Array:
        """End states of the data, or of other inputs (samples, *state_shape).

        Where samples are coupled, as by batch normalisation, other inputs come behind the data, on
        which alone they then depend: no other input changes what one of them is taken for.
        """
        if inputs is None:
            problem = self.controlled_part
            return problem.split_cost(problem._end(theta, None))[0]
        coupled = any(phase.dynamics.couples_samples for phase in self.phases)
        if inputs is self.data.inputs or not coupled:
            return self.split_cost(self._end(theta, inputs))[0]
        n = self.data.samples
        problem = replace(self, phases=tuple(phase.coupled_by_first(n) for phase in self.phases))
        return problem.split_cost(problem._end(theta, joined(self.data.inputs, inputs)))[0][n:]

    def value(self, theta: Array) -> float:
        """J(θ)."""
        if self.controlled_part is not self:
            return self.controlled_part.value(theta)
        (x, cost), controls = self.split_cost(self._end(theta, None)), self.unflatten(theta)
        inputs, targets = self.data.inputs, self.data.targets
        terminal = sum(w * term(x, targets) for w, term in self.terminal)
        ends = sum(w * term(inputs, x, controls) for w, term in self.ends)
        return float(cost + terminal + ends + sum(w * term(controls) for w, term in self.penalties))

    def start_states(self, inputs: Array | None) -> Array:
        """Start states, with no cost so far where there is a running cost."""
        x = self.data.inputs if inputs is None else inputs
        return x if self.running is None else join(x, np.zeros(x.shape[0], x.dtype))

    def _end(self, theta: Array, inputs: Array | None) -> Array:
        """What the last link gives."""
        x = self.start_states(inputs)
        self.count(forward=1)
        chain = self._own_chain if inputs is None else self._chain(x)
        return chain(x, self.controls_in_order(theta))

    @cached_property
    def _own_chain(self) -> Chain:
        """The chain of the data: where it is cut follows from them."""
        return self._chain(self.start_states(None))

    def _chain(self, x: Array) -> Chain:
        """The links on these start states, in shards where they can be cut."""
        if not can_be_cut(self.phases, x):
            return OnePiece(self.links)
        shards = cuts(x.shape[0], self._shapes, x.dtype.itemsize)
        return InShards(self.links, shards, self.engine) if shards[1:] else OnePiece(self.links)

    def controls_in_order(self, theta: Array) -> list[Controls]:
        """The controls of each phase, in the order of the phases."""
        return list(self.unflatten(theta).values())

    def split_cost(self, x: Array) -> tuple[Array, Array | float]:
        """End states, observed ones too, and the sum of the running costs up to the last."""
        if self.running is None:
            return x, 0.0
        xp = array_namespace(x)
        cost = xp.sum(x[..., -1] if x.ndim == 2 else x[:, -1, -1])
        return xp.reshape(x[..., :-1], (*x.shape[:-1], *self.output_shape)), cost

    def join_cost(self, p: Array, cost: float) -> Array:
        """Adjoint of `split_cost`."""
        if self.running is None:
            return p
        xp = array_namespace(p)
        flat = xp.reshape(p, (*p.shape[: p.ndim - len(self.output_shape)], -1))
        column = xp.full((*flat.shape[:-1], 1), cost, dtype=p.dtype)
        if column.ndim == 3:
            column = xp.concat([0 * column[:, :-1], column[:, -1:]], axis=1)
        return xp.concat([flat, column], axis=-1)

    def at(self, theta: Array) -> Evaluation:
        """Value and derivatives at θ."""
        if self.controlled_part is not self:
            return self.controlled_part.at(theta)
        start, controls = self.start_states(None), self.unflatten(theta)
        self.count(forward=1)
        end, sweeps = self._own_chain.linearize(start, list(controls.values()))
        return self._evaluation(controls, end, sweeps)

    def _evaluation(self, controls: PhaseControls, end: Array, sweeps: Sweeps) -> Evaluation:
        """Value and derivatives, of what the links gave at these controls."""
        x, cost = self.split_cost(end)
        terminal = [(w, *term.linearize(x, self.data.targets)) for w, term in self.terminal]
        ends = [(w, *term.linearize(self.data.inputs, x, controls)) for w, term in self.ends]
        penalties = [(w, *term.linearize(controls)) for w, term in self.penalties]
        value = float(cost + sum(w * v for w, v, _ in [*terminal, *ends, *penalties]))
        return Evaluation(
            self,
            value,
            x,
            sweeps,
            [(w, linearization) for w, _, linearization in terminal],
            [(w, linearization) for w, _, linearization in ends],
            [(w, linearization) for w, _, linearization in penalties],
        )

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """J(θ) and its gradient (size,)."""
        evaluation = self.at(theta)
        return evaluation.value, evaluation.gradient()

    def state_gradients(self, theta: Array) -> list[Array]:
        """∂J/∂x behind each phase, as backpropagation brings them there, for a look at them."""
        start, controls = self.start_states(None), self.unflatten(theta)
        self.count(forward=1)
        end, sweeps = OnePiece(self.links).linearize(start, list(controls.values()))
        found = [self.join_cost(self._evaluation(controls, end, sweeps).end_gradient(), 1.0)]
        for part in sweeps.parts[:0:-1]:
            found.append(part.vjp(found[-1])[0])
        if self.running is not None:
            found = [p[..., :-1] for p in found]  # without the entry that adds up the cost
        return found[::-1]

    def gauss_newton_product(self, theta: Array, v: Array) -> Array:
        """The Gauss–Newton part of the Hessian at θ times v."""
        return self.at(theta).gauss_newton_product(v)

    def hessian_product(self, theta: Array, v: Array) -> Array:
        """The Hessian at θ times v."""
        return self.at(theta).hessian_product(v)

    def residual(self, theta: Array) -> Array:
        """r(θ), where J = ½‖r‖²: the residuals of all terms, one after the other."""
        return self.at(theta).residual()

    def jacobian(self, theta: Array) -> Evaluation:
        """The Jacobian of the residual at θ, through `residual_jvp` and `residual_vjp`."""
        return self.at(theta)


def _adds_up(term: Objective) -> bool:
    """Whether a term is a sum over the samples."""
    if isinstance(term, TerminalObjective):
        return not term.averages
    return not isinstance(term, ControlObjective)
