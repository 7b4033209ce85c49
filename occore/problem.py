"""A problem: a chain of phases, an objective and data. Optimizers see J(θ) through it.

    J(θ) = Φ(x_end(θ); target) + R(θ),    x_end = the phases one after the other

`at(theta)` evaluates the chain once and hands out every derivative at that point, so that nothing
is evaluated twice between value and gradient. No result depends on an earlier evaluation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from occore import composition
from occore.arrays import Array
from occore.data import Data
from occore.layout import Layout
from occore.linearization import Linearization
from occore.objective import (
    ControlObjective,
    Objective,
    ObjectiveLinearization,
    PhaseControls,
    TerminalObjective,
)
from occore.phase import Phase


@dataclass
class Counts:
    """How often the chain was swept, over all samples."""

    forward: int = 0
    tangent: int = 0
    adjoint: int = 0

    @property
    def evaluations(self) -> int:
        """Sweeps of any kind."""
        return self.forward + self.tangent + self.adjoint


@dataclass(frozen=True)
class Problem:
    """minimise J(θ) over the flat vector θ of all controls."""

    phases: tuple[Phase, ...]
    objective: Objective
    data: Data
    counts: Counts = field(default_factory=Counts, compare=False)

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
    def penalties(self) -> tuple[tuple[float, ControlObjective], ...]:
        """The weighted control terms."""
        terms = self.objective.terms
        return tuple((w, term) for w, term in terms if isinstance(term, ControlObjective))

    def subset(self, indices: Array) -> Problem:
        """The same problem on some of the samples: a mini-batch or a shard."""
        return replace(self, data=self.data.subset(indices))

    def initial_controls(self, rng: np.random.Generator) -> Array:
        """Where an optimizer starts, a vector (size,)."""
        start = {phase.name: phase.initial_controls(rng) for phase in self.phases}
        return self.flatten(start).astype(self.dtype)

    def flatten(self, controls: PhaseControls) -> Array:
        """The flat vector of the controls of each phase; what is left out is zero."""
        theta = self.layout.zeros(self.dtype)
        for phase, named in controls.items():
            theta.update({f"{phase}/{name}": value for name, value in named.items()})
        return self.layout.flatten(theta)

    def unflatten(self, theta: Array) -> PhaseControls:
        """The controls of each phase, views into θ."""
        named = self.layout.unflatten(theta)
        return {
            phase.name: {name: named[f"{phase.name}/{name}"] for name in phase.layout}
            for phase in self.phases
        }

    def output(self, theta: Array, inputs: Array | None = None) -> Array:
        """End states of the data, or of other inputs (samples, *state_shape)."""
        controls, x = self.unflatten(theta), self.data.inputs if inputs is None else inputs
        self.counts.forward += 1
        for phase in self.phases:
            x = phase(x, controls[phase.name])
        return x

    def value(self, theta: Array) -> float:
        """J(θ)."""
        x, controls = self.output(theta), self.unflatten(theta)
        terminal = (w * term(x, self.data.targets) for w, term in self.terminal)
        return float(sum(terminal) + sum(w * term(controls) for w, term in self.penalties))

    def at(self, theta: Array) -> Evaluation:
        """Value and derivatives at θ."""
        controls, x, parts = self.unflatten(theta), self.data.inputs, []
        self.counts.forward += 1
        for phase in self.phases:
            x, part = phase.linearize(x, controls[phase.name])
            parts.append(part)
        terminal = [(w, *term.linearize(x, self.data.targets)) for w, term in self.terminal]
        penalties = [(w, *term.linearize(controls)) for w, term in self.penalties]
        value = float(sum(w * v for w, v, _ in [*terminal, *penalties]))
        return Evaluation(
            self,
            value,
            x,
            parts,
            [(w, linearization) for w, _, linearization in terminal],
            [(w, linearization) for w, _, linearization in penalties],
        )

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """J(θ) and its gradient (size,)."""
        evaluation = self.at(theta)
        return evaluation.value, evaluation.gradient()

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


@dataclass(frozen=True)
class Evaluation:
    """The problem at one θ: value, end states, and every derivative product."""

    problem: Problem
    value: float
    output: Array
    parts: Sequence[Linearization]
    terminal: Sequence[tuple[float, ObjectiveLinearization]]
    penalties: Sequence[tuple[float, ObjectiveLinearization]]

    def gradient(self) -> Array:
        """∇J(θ), (size,)."""
        p = sum(w * term.gradient() for w, term in self.terminal)
        return self._adjoint(p) + self._penalties(lambda term: term.gradient())

    def gauss_newton_product(self, v: Array) -> Array:
        """(yᵀ Φ_GN y + R_GN) v, with y the derivative of the end states."""
        controls = self.problem.unflatten(v)
        dx = self._tangent(v)
        p = sum(w * term.gauss_newton_product(dx) for w, term in self.terminal)
        return self._adjoint(p) + self._penalties(lambda term: term.gauss_newton_product(controls))

    def hessian_product(self, v: Array) -> Array:
        """∇²J(θ) v."""
        controls = self.problem.unflatten(v)
        dx = self._tangent(v)
        p = sum(w * term.hessian_product(dx) for w, term in self.terminal)
        q = sum(w * term.gradient() for w, term in self.terminal)
        self.problem.counts.tangent += 1
        self.problem.counts.adjoint += 1
        _, second = composition.curvature(self.parts, q, self._zero(), self._split(v))
        return (
            self._adjoint(p)
            + self._join(second)
            + self._penalties(lambda term: term.hessian_product(controls))
        )

    def residual(self) -> Array:
        """r, where the value is ½‖r‖²; a vector."""
        return self._stack([term.residual for _, term in self._terms()])

    def residual_jvp(self, v: Array) -> Array:
        """J v, with J the Jacobian of the residual."""
        controls, dx = self.problem.unflatten(v), self._tangent(v)
        parts = [_residual_jvp(term, dx) for _, term in self.terminal]
        return self._stack([*parts, *(_residual_jvp(term, controls) for _, term in self.penalties)])

    def residual_vjp(self, w: Array) -> Array:
        """Jᵀ w."""
        pieces, start = [], 0
        for weight, term in self._terms():
            end = start + term.residual.size
            pieces.append(math.sqrt(weight) * w[start:end].reshape(term.residual.shape))
            start = end
        terminal = zip(self.terminal, pieces[: len(self.terminal)], strict=True)
        theta = self._adjoint(sum(_residual_vjp(term, piece) for (_, term), piece in terminal))
        penalties = zip(self.penalties, pieces[len(self.terminal) :], strict=True)
        for (_, term), piece in penalties:
            theta = theta + self.problem.flatten(_residual_vjp(term, piece))
        return theta

    def _terms(self) -> list[tuple[float, ObjectiveLinearization]]:
        return [*self.terminal, *self.penalties]

    def _zero(self) -> Array:
        return np.zeros_like(self.problem.data.inputs)

    def _split(self, v: Array) -> list[Any]:
        controls = self.problem.unflatten(v)
        return [controls[phase.name] for phase in self.problem.phases]

    def _join(self, pu: list[Any]) -> Array:
        names = [phase.name for phase in self.problem.phases]
        return self.problem.flatten(dict(zip(names, pu, strict=True)))

    def _tangent(self, v: Array) -> Array:
        self.problem.counts.tangent += 1
        return composition.jvp(self.parts, self._zero(), self._split(v))

    def _adjoint(self, p: Array) -> Array:
        self.problem.counts.adjoint += 1
        return self._join(composition.vjp(self.parts, p)[1])

    def _penalties(self, product: Any) -> Array:
        total = np.zeros(self.problem.size, self.problem.dtype)
        for weight, term in self.penalties:
            total = total + weight * self.problem.flatten(product(term))
        return total

    def _stack(self, residuals: list[Any]) -> Array:
        weights = [weight for weight, _ in self._terms()]
        pairs = zip(weights, residuals, strict=True)
        return np.concatenate([math.sqrt(w) * np.reshape(r, -1) for w, r in pairs])


def _residual_jvp(term: ObjectiveLinearization, d: Any) -> Array:
    assert term.residual_jvp is not None, "asked for before the work"  # noqa: S101
    return term.residual_jvp(d)


def _residual_vjp(term: ObjectiveLinearization, w: Array) -> Any:
    assert term.residual_vjp is not None, "asked for before the work"  # noqa: S101
    return term.residual_vjp(w)
