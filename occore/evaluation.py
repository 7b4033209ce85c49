"""A problem at one θ: the chain evaluated once, and every derivative product there.

    ∇J = x_θᵀ Φ_x + Φ_θ + R_θ,    ∇²J v = x_θᵀ Φ_xx x_θ v + (Φ_xᵀ x)_θθ v + R_θθ v

x_θ is the derivative of the end states, known by tangent and adjoint sweeps over the chain.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from occore.arrays import Array, scaled
from occore.chain import Sweeps
from occore.errors import StructureError
from occore.objective import ObjectiveLinearization

if TYPE_CHECKING:
    from occore.problem import Problem


@dataclass(frozen=True)
class Evaluation:
    """The problem at one θ: value, end states, and every derivative product."""

    problem: Problem
    value: float
    output: Array
    sweeps: Sweeps
    terminal: Sequence[tuple[float, ObjectiveLinearization]]
    ends: Sequence[tuple[float, ObjectiveLinearization]]
    penalties: Sequence[tuple[float, ObjectiveLinearization]]

    def gradient(self) -> Array:
        """∇J(θ), (size,)."""
        seed, direct = self._seed
        return self.adjoint(seed, 1.0) + direct + self.penalty_gradient()

    def tangent(self, v: Array) -> Array:
        """The derivative of the end states along v, like `output`."""
        self.problem.count(tangent=1)
        end, _ = self.sweeps.tangent(self.problem.controls_in_order(v))
        return self.problem.split_cost(end)[0]

    def adjoint(self, p: Array, cost: float = 0.0) -> Array:
        """Its transpose, (size,); p is like `output`, and `cost` belongs to the running cost."""
        self.problem.count(adjoint=1)
        return self._flatten(self.sweeps.adjoint(self.problem.join_cost(p, cost)))

    def of_each(self, p: Array) -> Array:
        """The rows of `adjoint` before they are summed over the samples, (samples, size).

        Raises StructureError where a phase has its adjoint only as a sum.
        """
        self.require_each()
        self.problem.count(adjoint=1)
        names = [phase.name for phase in self.problem.phases]
        found = self.sweeps.of_each(self.problem.join_cost(p, 0.0))
        named = {f"{n}/{c}": v for n, u in zip(names, found, strict=True) for c, v in u.items()}
        return np.concatenate(
            [named[name].reshape(p.shape[0], -1) for name in self.problem.layout], axis=1
        )

    def require_each(self) -> None:
        """Raise StructureError where `of_each` would."""
        if self.sweeps.sums is not None:
            raise StructureError(
                f"the phase {self.sweeps.sums!r} has no derivative of each sample alone, only "
                "their sum"
            )

    def penalty_gradient(self) -> Array:
        """∇R(θ), of the control terms alone."""
        return self._penalties(lambda term: term.gradient())

    def penalty_product(self, v: Array) -> Array:
        """Their Gauss–Newton product R_GN v."""
        controls = self.problem.unflatten(v)
        return self._penalties(lambda term: term.gauss_newton_product(controls))

    def end_gradient(self) -> Array:
        """∂J/∂x of the end states, like them."""
        return self._seed[0]

    def gauss_newton_product(self, v: Array) -> Array:
        """(yᵀ Φ_GN y + R_GN) v, with y the derivative of the end states."""
        controls = self.problem.unflatten(v)
        if self.problem.running is not None:
            raise StructureError("a running cost has no Gauss–Newton product; use Hessian products")
        dx = self.tangent(v)
        p, direct = self._outer(
            lambda term: term.gauss_newton_product(dx),
            lambda term: term.gauss_newton_product((dx, controls)),
        )
        return self.adjoint(p) + direct + self.penalty_product(v)

    def hessian_product(self, v: Array) -> Array:
        """∇²J(θ) v."""
        controls, du = self.problem.unflatten(v), self.problem.controls_in_order(v)
        end, tangents = self.sweeps.tangent(du)
        dx = self.problem.split_cost(end)[0]
        dp, direct = self._outer(
            lambda term: term.hessian_product(dx),
            lambda term: term.hessian_product((dx, controls)),
        )
        p, dp = self.problem.join_cost(self._seed[0], 1.0), self.problem.join_cost(dp, 0.0)
        second = self.sweeps.second(p, dp, tangents, du)
        self.problem.count(tangent=1, adjoint=1)
        penalties = self._penalties(lambda term: term.hessian_product(controls))
        return self._flatten(second) + direct + penalties

    def residual(self) -> Array:
        """r, where the value is ½‖r‖²; a vector."""
        return self._stack([term.residual for _, term in self._terms()])

    def residual_jvp(self, v: Array) -> Array:
        """J v, with J the Jacobian of the residual."""
        controls, dx = self.problem.unflatten(v), self.tangent(v)
        parts = [_residual_jvp(term, dx) for _, term in self.terminal]
        return self._stack([*parts, *(_residual_jvp(term, controls) for _, term in self.penalties)])

    def residual_vjp(self, w: Array) -> Array:
        """Jᵀ w."""
        pieces, start = [], 0
        for weight, term in self._terms():
            end = start + term.residual.size
            pieces.append(scaled(math.sqrt(weight), w[start:end].reshape(term.residual.shape)))
            start = end
        terminal = zip(self.terminal, pieces[: len(self.terminal)], strict=True)
        seeds = [_residual_vjp(term, piece) for (_, term), piece in terminal]
        theta = self.adjoint(functools.reduce(operator.add, seeds))
        penalties = zip(self.penalties, pieces[len(self.terminal) :], strict=True)
        for (_, term), piece in penalties:
            theta = theta + self.problem.flatten(_residual_vjp(term, piece))
        return theta

    def _terms(self) -> list[tuple[float, ObjectiveLinearization]]:
        return [*self.terminal, *self.penalties]

    @cached_property
    def _seed(self) -> tuple[Array, Array]:
        """The gradient in the end states, and that part of it in θ that does not come from them."""
        return self._outer(lambda term: term.gradient(), lambda term: term.gradient())

    def _outer(self, terminal: Any, end: Any) -> tuple[Array, Array]:
        """A product of the terminal and end terms: its parts in the end states and in θ."""
        total = np.zeros_like(self.output)
        direct = np.zeros(self.problem.size, self.problem.dtype)
        for weight, term in self.terminal:
            total = total + weight * terminal(term)
        for weight, term in self.ends:
            states, controls = end(term)
            total = total + weight * states
            direct = direct + weight * self.problem.flatten(controls)
        return total, direct

    def _flatten(self, pu: list[Any]) -> Array:
        names = [phase.name for phase in self.problem.phases]
        return self.problem.flatten(dict(zip(names, pu, strict=True)))

    def _penalties(self, product: Any) -> Array:
        total = np.zeros(self.problem.size, self.problem.dtype)
        for weight, term in self.penalties:
            total = total + weight * self.problem.flatten(product(term))
        return total

    def _stack(self, residuals: list[Any]) -> Array:
        weights = [weight for weight, _ in self._terms()]
        pairs = zip(weights, residuals, strict=True)
        parts = [scaled(math.sqrt(w), np.reshape(r, -1)) for w, r in pairs]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _residual_jvp(term: ObjectiveLinearization, d: Any) -> Array:
    assert term.residual_jvp is not None, "asked for before the work"  # noqa: S101
    return term.residual_jvp(d)


def _residual_vjp(term: ObjectiveLinearization, w: Array) -> Any:
    assert term.residual_vjp is not None, "asked for before the work"  # noqa: S101
    return term.residual_vjp(w)
