"""Newton steps of a linear model whose Hessian is taken for a Gram matrix; for a few large steps.

    M = h AᵀA + LᵀL + ρ m I,    D = −M⁻¹ G,    Θ ← Θ + α D,    first α = −⟨G, D⟩ / ⟨D, H D⟩

symbol   code       meaning
A, L     model      features (samples, columns); operators of the penalties ½‖L Θ‖²
Θ, G     Θ, G       controls as a matrix (columns, outputs), and the gradient of J like it
H        —          Hessian of J, known by its products
h        curvature  mean diagonal of Φ'' in the end states at Θ = 0, of all samples and outputs
m, ρ     damping    mean diagonal of h AᵀA + LᵀL, and the damping relative to it

Newton's method weighs the rows of A for each output by Φ''; with K outputs and p columns that is a
matrix of K p unknowns. Here all rows count alike, so that one Cholesky factor of p columns serves
for all outputs and iterations. The step to the minimiser along D is found with a product of the
whole Hessian and shortened or lengthened by a strong Wolfe line search. For least squares with
ρ = 0 one step is the solution. For softmax the first step from Θ = 0 is along that of a ridge
regression on the classes; convergence is linear, and fast while no probability is near 0 or 1.
From Θ = 0 with ρ > 0 and few iterations the weights stay small: it stops early, a regularisation
of its own.

Böhning, Ann. Inst. Statist. Math. 44 (1992), 197–200, has AᵀA with a factor for which it bounds
the Hessian of softmax from above, so that no line search is needed and steps are short.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import scipy.linalg
from pydantic import Field

from occore import (
    Array,
    InputError,
    LinearModel,
    Problem,
    State,
    Structure,
    is_sparse,
    linear_model,
)
from occore_classification.end_hessian import end_hessian_columns
from occore_classification.kept_evaluation import evaluation_of, keep
from occore_classification.line_search import Line, Trial, strong_wolfe
from occore_classification.smooth import SmoothOptimizer, SmoothState, state_of
from occore_classification.smooth_line import moved, origin, rounding_of


@dataclass(frozen=True)
class GramNewton(SmoothOptimizer[SmoothState]):
    """For linear models with any smooth objective; one factor of AᵀA serves all iterations."""

    requires: ClassVar[tuple[Structure, ...]] = ("smooth", "linear_model")
    state: ClassVar[type[State]] = SmoothState

    damping: Annotated[
        float, Field(ge=0, description="ρ, relative to the mean diagonal of the matrix")
    ] = 1e-3
    max_columns: Annotated[
        int, Field(gt=0, description="of A, whose Gram matrix is dense; more are refused")
    ] = 5000

    def init(self, problem: Problem, theta: Array) -> SmoothState:
        """Value and gradient at the start. Raises InputError for too many columns."""
        columns = linear_model(problem).features.shape[1]
        if columns > self.max_columns:
            raise InputError(
                f"gram_newton: {columns} columns of features, more than max_columns = "
                f"{self.max_columns}; their dense Gram matrix would be slow. Take newton_cg"
            )
        return state_of(evaluation_of(problem, theta))

    def step(self, problem: Problem, theta: Array, state: SmoothState) -> tuple[Array, SmoothState]:
        """One solve, one product, one line search."""
        model, factor = problem.once(f"gram {self.damping}", lambda: self._factor(problem))
        G = model.matrix(state.g)
        d = -model.theta(scipy.linalg.cho_solve(factor, G))
        product = evaluation_of(problem, theta).gauss_newton_product(d)
        first = -float(state.g @ d) / float(product @ d)
        rounding = rounding_of(problem, state.value)
        trial = strong_wolfe(_along(problem, theta, d), origin(state, d), first, rounding)
        return moved(theta, d, state, trial)

    def _factor(self, problem: Problem) -> tuple[LinearModel, tuple[Array, bool]]:
        """The model, and the Cholesky factor of M."""
        model = linear_model(problem)
        A = model.features
        gram = A.T @ A
        M = _curvature(problem) * np.asarray(gram.toarray() if is_sparse(gram) else gram)
        for L in model.operators:
            M += L.T @ L
        diagonal = np.einsum("ii->i", M)
        diagonal += self.damping * np.mean(diagonal)
        return model, scipy.linalg.cho_factor(M, lower=True, overwrite_a=True)


def _curvature(problem: Problem) -> float:
    """h."""
    at = problem.at(np.zeros(problem.size, problem.dtype))
    diagonals = (float(np.sum(c[:, k])) for k, c in enumerate(end_hessian_columns(at)))
    return sum(diagonals) / at.output.size


def _along(problem: Problem, theta: Array, d: Array) -> Line:
    """φ(α) = J(θ + α d); the last trial is kept for the product of the next step."""

    def line(alpha: float) -> Trial:
        at = problem.at(theta + alpha * d)
        keep(problem, theta + alpha * d, at)
        g = at.gradient()
        return Trial(alpha, at.value, float(g @ d), g)

    return line
