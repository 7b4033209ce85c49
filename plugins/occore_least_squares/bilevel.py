"""Bilevel choice of the weights: the least loss in validation over log λ, by its gradient.

    minimise over η    V(η) = ½‖A_v Θ(η) − B_v‖²,    Θ(η) the fit with weights exp(η_i)

    η ← η − t G g,    g = ∂V/∂η by the adjoint (see `hypergradient`), G by BFGS, t by Armijo's rule

    symbol   code        shape         meaning
    η        eta         (q,)          log of what multiplies the weight of each penalty
    G        G           (q, q)        inverse Hessian; steps are at most log 100 in any η_i
    V        losses      (k + 1,)      in each iteration so far

Where a grid needs a fit for each combination of weights, this takes a few fits an iteration for any
number of penalties. The controls are the fit to all samples with the weights of the iteration.
Nocedal and Wright (2006), chapter 6, for BFGS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from occore import (
    Array,
    Data,
    Example,
    Optimizer,
    Phase,
    Problem,
    State,
    Status,
    Structure,
    StructureError,
    dense_least_squares,
)
from occore_least_squares.hypergradient import ValidationLoss
from occore_least_squares.qr import minimum_norm
from occore_least_squares.standard_form import triangular
from occore_least_squares.validation import Seed, Share, training_and_validation

SUFFICIENT_DECREASE = 1e-4
SMALLEST_STEP = 1e-10
LONGEST = float(np.log(100))


@dataclass(frozen=True)
class BilevelState(State):
    """η, G and g; V and η of every iteration. gradient_norm is ‖∂V/∂η‖."""

    eta: Array
    G: Array
    g: Array
    losses: Array
    etas: Array
    stalled: bool


@dataclass(frozen=True)
class Bilevel(Optimizer[BilevelState]):
    """For problems with penalties that hand out their matrices; a few fits an iteration.

    λ multiplies the weights of the penalties. The objective of its states is that of the case; the
    loss in validation lies in `/result/bilevel`.
    """

    resume: ClassVar[Literal["exact", "restart"]] = "exact"
    requires: ClassVar[tuple[Structure, ...]] = ("dense_least_squares",)
    state: ClassVar[type[State]] = BilevelState

    validation: Share = 0.25
    seed: Seed = 0
    max_iterations: Annotated[int, Field(gt=0, description="steps at most")] = 50
    tolerance: Annotated[
        float, Field(ge=0, description="‖∂V/∂η‖ relative to V, at which the weights are found")
    ] = 1e-6

    def loss(self, problem: Problem) -> ValidationLoss:
        """V of the problem; samples of both parts are reduced to a triangle each.

        Raises StructureError where no penalty is there to be weighed.
        """
        if not problem.penalties:
            raise StructureError(
                "bilevel weighs penalties, and the objective has none; add [[objective.penalty]]"
            )
        fit, judge = training_and_validation(problem, self.validation, self.seed)
        known, unknown = dense_least_squares(fit), dense_least_squares(judge)
        A, B = known.A, known.B
        if A.shape[0] > A.shape[1]:
            A, B, _ = triangular(A, B)
        return ValidationLoss(A, B, unknown.A, unknown.B, known.operators)

    def init(self, problem: Problem, theta: Array) -> BilevelState:
        """The weights of the case."""
        loss = self.loss(problem)
        eta = np.zeros(len(loss.operators))
        V, g, _ = loss(eta)
        return BilevelState(
            0,
            problem.value(theta),
            float(np.linalg.norm(g)),
            float("nan"),
            eta,
            _first_inverse(g),
            g,
            np.array([V]),
            eta[None],
            False,
        )

    def step(
        self, problem: Problem, theta: Array, state: BilevelState
    ) -> tuple[Array, BilevelState]:
        """One line search along the quasi-Newton direction, and the fit to all samples."""
        loss, V = self.loss(problem), float(state.losses[-1])
        d = -state.G @ state.g
        t = min(1.0, LONGEST / max(float(np.max(np.abs(d))), LONGEST))
        slope = float(state.g @ d)
        found = loss(state.eta + t * d)
        while not found[0] <= V + SUFFICIENT_DECREASE * t * slope and t > SMALLEST_STEP:
            t /= 2
            found = loss(state.eta + t * d)
        stalled = t <= SMALLEST_STEP
        eta, (V, g) = (state.eta, (V, state.g)) if stalled else (state.eta + t * d, found[:2])
        theta = self._fit(problem, eta)
        return theta, BilevelState(
            state.iteration + 1,
            problem.value(theta),
            float(np.linalg.norm(g)),
            t,
            eta,
            state.G if stalled else _bfgs(state.G, eta - state.eta, g - state.g),
            g,
            np.append(state.losses, V),
            np.vstack([state.etas, eta]),
            stalled,
        )

    def _fit(self, problem: Problem, eta: Array) -> Array:
        """θ for these weights, from all samples."""
        system = dense_least_squares(problem)
        rows = [np.exp(e / 2) * L for e, L in zip(eta, system.operators, strict=True)]
        A = np.vstack([system.A, *rows]).astype(system.A.dtype)
        zeros = np.zeros((A.shape[0] - system.A.shape[0], system.B.shape[1]), system.B.dtype)
        return system.theta(minimum_norm(A, np.vstack([system.B, zeros])))

    def finished(self, problem: Problem, theta: Array, state: BilevelState) -> Status | None:
        """By the gradient of V; never before the first fit."""
        if state.iteration == 0:
            return None
        if state.gradient_norm <= self.tolerance * state.losses[-1]:
            return Status.CONVERGED
        if state.stalled:
            return Status.STALLED
        return Status.ITERATION_LIMIT if state.iteration >= self.max_iterations else None

    def report(self, problem: Problem, theta: Array, state: BilevelState) -> dict[str, Any]:
        """The weights and the loss of each iteration."""
        return {"bilevel": {"weights": np.exp(state.etas), "validation_loss": state.losses}}

    @classmethod
    def example(cls) -> Example:
        """A number w fitted to 4, judged by 2: 4/(1 + λ) = 2 for λ = 1.

        By hand: the fit to both samples with this weight is (4 + 2)/(2 + 1) = 2.
        """
        from occore_least_squares.least_squares import LeastSquares
        from occore_least_squares.linear import Linear
        from occore_least_squares.tikhonov import Tikhonov

        # the seed 3 keeps the second of two samples for validation
        data = Data(np.array([[1.0], [1.0]]), np.array([[4.0], [2.0]]))
        objective = LeastSquares() + 0.2 * Tikhonov()
        problem = Problem((Phase("fit", Linear((1,), 1, bias=False)),), objective, data)
        optimizer = cls(validation=0.5, seed=3, tolerance=1e-9)
        return Example(optimizer, problem=problem, theta=[0.0], value=[2.0], rtol=1e-6)


def _first_inverse(g: Array) -> Array:
    """A first step of one in η, a factor e in λ."""
    return np.eye(g.size) / max(float(np.linalg.norm(g)), np.finfo(float).tiny)


def _bfgs(G: Array, s: Array, y: Array) -> Array:
    """The inverse Hessian with G₊ y = s; as it was where V bends the other way along s."""
    sy = float(s @ y)
    if sy <= 1e-10 * float(np.linalg.norm(s) * np.linalg.norm(y)):
        return G
    W = np.eye(s.size) - np.outer(s, y) / sy
    return W @ G @ W.T + np.outer(s, s) / sy
