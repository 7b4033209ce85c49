"""The inner problem of variable projection: the last layer, whose features are held.

    w(θ₁) = argmin_w Φ(A w) + ½‖L w‖²,    A = A(θ₁) the features of the last layer

and how its solution answers a change dx of the end states A w:

    z = argmin ½ (A z + dx)ᵀ Φ'' (A z + dx) + ½‖L z‖²

least squares    A and L at hand: an orthogonal decomposition gives w and z to rounding
otherwise        Newton's method; H = AᵀΦ''A + LᵀL is factorised, which gives its steps and z

symbol   code         shape                          meaning
A        features     (samples, columns)             design of the last layer
w, z                  (unknowns,)                    its controls, as a flat vector
Φ''_i                 (outputs, outputs)             Hessian of the terminal terms in one sample
H                     (outputs · columns, …)         Hessian of the inner problem
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
import scipy.linalg

from occore import (
    Array,
    Controls,
    DenseLeastSquares,
    Evaluation,
    Interface,
    Linearization,
    LinearModel,
    Problem,
    TerminalObjective,
    dense_least_squares,
    linear_model,
    norm,
)
from occore_classification.conjugate_gradients import ModelStep, Operator
from occore_classification.end_hessian import end_hessian_columns, end_hessian_product
from occore_classification.kept_evaluation import evaluation_of
from occore_classification.trust_region import TrustState, first_inexact, trusted

Enough = Callable[[Evaluation, Array, bool], bool]
"""Whether an evaluation and its w will do; and whether a whole Newton step led there."""

SHIFT = 1e-12
"""Of the largest diagonal entry of H, added to it: softmax has directions without curvature."""

MOST_STEPS = 100


class InnerSolution(Interface):
    """The last layer at one θ₁."""

    at: Evaluation
    """The inner problem at w."""

    w: Array
    g: Array
    """∂J/∂w, (unknowns,)."""

    iterations: int
    """Newton steps that it took."""

    @abstractmethod
    def response(self, dx: Array) -> Array:
        """z, the change of w that answers a change dx of the end states."""

    @cached_property
    def last(self) -> Linearization:
        """The derivative of the last layer in its features and in w."""
        return last_layer(self.at.problem, self.w)

    def controls(self, z: Array) -> Controls:
        """A flat vector like w, by the names of the controls."""
        (named,) = self.at.problem.unflatten(z).values()
        return named


@dataclass(frozen=True)
class OrthogonalSolution(InnerSolution):
    """By the singular values of the triangular factor of [A; L]; the w of minimum norm."""

    at: Evaluation
    w: Array
    g: Array
    system: DenseLeastSquares
    basis: Array
    inverse: Array
    """The stack is basis · diag · …, and its pseudo-inverse is inverse · basisᵀ."""
    iterations: int = 0

    def response(self, dx: Array) -> Array:
        """The pseudo-inverse on −dx, weighted as the residuals are."""
        problem, samples = self.at.problem, dx.shape[0]
        flat = dx.reshape(samples, -1)
        blocks = [
            -math.sqrt(weight) * _scale(term, samples) * flat for weight, term in problem.terminal
        ]
        rows = np.concatenate(blocks)
        return self.system.theta(self.inverse @ (self.basis[: len(rows)].T @ rows))


def orthogonal_solution(inner: Problem) -> InnerSolution:
    """For an inner problem with the structure dense_least_squares."""
    system = dense_least_squares(inner)
    A, B = system.stacked()
    Q, R = scipy.linalg.qr(A, mode="economic")
    U, s, Vt = scipy.linalg.svd(R)
    rank = int(np.sum(s > max(A.shape) * np.finfo(A.dtype).eps * s[0]))
    basis, inverse = Q @ U[:, :rank], Vt[:rank].T / s[:rank]
    w = system.theta(inverse @ (basis.T @ B))
    at = inner.at(w)
    return OrthogonalSolution(at, w, at.gradient(), system, basis, inverse)


def _scale(term: TerminalObjective, samples: int) -> float:
    assert term.residual_scale is not None, "asked for before the work"  # noqa: S101
    return term.residual_scale(samples)


@dataclass(frozen=True)
class NewtonSolution(InnerSolution):
    """By the Hessian of the inner problem; solved as accurately as was asked for."""

    at: Evaluation
    w: Array
    g: Array
    iterations: int

    def response(self, dx: Array) -> Array:
        """−H⁻¹ AᵀΦ'' dx."""
        return -self.solve(self.at.adjoint(end_hessian_product(self.at, dx)))

    @cached_property
    def solve(self) -> Operator:
        """H⁻¹ v."""
        return hessian_inverse(self.at)


def newton_solution(inner: Problem, w: Array, enough: Enough) -> InnerSolution:
    """From w on, until it is enough; a step with which J does not fall is shortened."""
    state = TrustState(**asdict(first_inexact(inner, w)), radius=math.inf)
    at, whole = evaluation_of(inner, w), False
    while not (enough(at, w, whole) or state.failed or state.iteration == MOST_STEPS):
        p = -hessian_inverse(at)(state.g)
        newton = ModelStep(p, norm(p), -float(state.g @ p) / 2, 1, on_border=False)
        w, state = trusted(inner, w, state, newton)
        at, whole = evaluation_of(inner, w), state.step_length == newton.length
    return NewtonSolution(at, w, state.g, state.iteration)


def last_layer(inner: Problem, w: Array) -> Linearization:
    """Its derivative in (features, w); that of an affine layer costs next to nothing."""
    (phase,), (controls,) = inner.phases, inner.unflatten(w).values()
    return phase.linearize(inner.data.inputs, controls)[1]


def hessian_inverse(at: Evaluation) -> Operator:
    """H⁻¹ v by Cholesky."""
    model = linear_model(at.problem)
    H = _hessian(at, model)
    H += SHIFT * np.max(np.diag(H)) * np.eye(len(H), dtype=H.dtype)
    factor = scipy.linalg.cho_factor(H, lower=True, overwrite_a=True)
    outputs = model.outputs

    def solve(v: Array) -> Array:
        rows = scipy.linalg.cho_solve(factor, model.matrix(v).T.ravel())
        return model.theta(rows.reshape(outputs, -1).T)

    return solve


def _hessian(at: Evaluation, model: LinearModel) -> Array:
    """Σ_i Φ''_i ⊗ a_i a_iᵀ + I ⊗ LᵀL."""
    A, outputs = model.features, model.outputs
    columns = A.shape[1]
    penalty = sum((L.T @ L for L in model.operators), np.zeros((columns, columns), A.dtype))
    H = np.zeros((outputs, columns, outputs, columns), A.dtype)
    for j, curvature in enumerate(end_hessian_columns(at)):
        for k in range(j, outputs):
            H[k, :, j] = A.T @ (curvature[:, k, None] * A)
            H[j, :, k] = H[k, :, j]
        H[j, :, j] += penalty
    return H.reshape(outputs * columns, -1)
