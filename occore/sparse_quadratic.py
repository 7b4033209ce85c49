"""Quadratic problems with a sparse Hessian, which acts on the rows of the unknown.

    J(Θ) = ½ tr ΘᵀHΘ − tr BᵀΘ + c,    H = MᵀQM + K,    B = MᵀQC,    c = ½ tr CᵀQC

    symbol   code       shape             meaning
    Θ        matrix     (n, columns)      the one control, a field on n nodes
    M        row_design (m, n)            end states X = M Θ, m = samples · rows of a state
    Q, C     row_quadratic (m, m), (m, columns)   terminal terms ½ tr (X − C)ᵀ Q (X − C)
    K        row_quadratic (n, n)         control terms ½ tr ΘᵀKΘ

All columns share H. It is a SciPy sparse matrix; `hessian_product` applies it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from occore.arrays import Array
from occore.errors import StructureError
from occore.problem import Problem


@dataclass(frozen=True)
class SparseQuadratic:
    """J(Θ), weights included; `fit` is MᵀQM, `penalty` is K."""

    fit: Any
    penalty: Any
    B: Array
    c: float
    problem: Problem

    @cached_property
    def H(self) -> Any:
        """The Hessian (n, n), CSR."""
        return (self.fit + self.penalty).tocsr()

    def hessian_product(self, matrix: Array) -> Array:
        """H Θ, counted as a sweep forward and one back, which it replaces."""
        self.problem.count(tangent=1, adjoint=1)
        return self.H @ matrix

    def value(self, matrix: Array, residual: Array) -> float:
        """J at Θ, where the residual is B − H Θ: −½ tr Θᵀ(B + residual) + c."""
        return float(self.c - np.sum(matrix * (self.B + residual)) / 2)

    def matrix(self, theta: Array) -> Array:
        """Θ of the flat vector θ."""
        return theta.reshape(self.B.shape)


def not_sparse_quadratic(problem: Problem) -> str | None:
    """Why a problem hands out no sparse Hessian, naming the phase or the term; `None` if it does.

    There is one phase, static, whose dynamics has a `row_design`; every term of the objective has a
    `row_quadratic`.
    """
    last = problem.phases[-1]
    name = f"the phase {last.name!r} ({type(last.dynamics).__name__})"
    if last.discretization is not None or last.dynamics.row_design is None:
        return f"{name} is not a field on nodes that is itself the control"
    if any(phase.layout.size for phase in problem.phases[:-1]):
        return f"{name} comes after phases with controls of their own"
    for weight, term in problem.objective.terms:
        kind = f"the term {type(term).__name__} of the objective"
        if getattr(term, "row_quadratic", None) is None:
            return f"{kind} is not quadratic with a sparse matrix"
        if weight < 0:
            return f"{kind} has the negative weight {weight:g}"
    return None


def sparse_quadratic(problem: Problem) -> SparseQuadratic:
    """The matrices of a quadratic problem with a sparse Hessian; one object for each problem.

    Raises StructureError where the problem has none.
    """
    return problem.once("sparse quadratic", lambda: _assembled(problem))


def _assembled(problem: Problem) -> SparseQuadratic:
    import scipy.sparse

    why = not_sparse_quadratic(problem)
    if why is not None:
        raise StructureError(f"needs the structure 'sparse_quadratic', but {why}")
    part = problem.controlled_part
    x, (last,) = part.data.inputs, part.phases
    assert last.dynamics.row_design is not None  # noqa: S101 - the structure was asked for
    ((control, shape),) = last.layout.shapes.items()
    M, columns = last.dynamics.row_design(0.0, x), shape[-1]
    n = last.layout.size // columns
    fit = scipy.sparse.csr_array((n, n), dtype=problem.dtype)
    penalty, B, c = fit, np.zeros((n, columns), problem.dtype), 0.0
    for weight, term in problem.terminal:
        assert term.row_quadratic is not None  # noqa: S101
        Q, C = term.row_quadratic(problem.data.targets)
        fit = fit + weight * (M.T @ Q @ M)
        B = B + weight * (M.T @ (Q @ C))
        c += weight * float(np.sum(C * (Q @ C))) / 2
    for weight, term in problem.penalties:
        assert term.row_quadratic is not None  # noqa: S101
        K = term.row_quadratic(last.name, control, n)
        if K is not None:
            penalty = penalty + weight * K
    fit, penalty = fit.astype(problem.dtype), penalty.astype(problem.dtype)
    return SparseQuadratic(fit, penalty, B, c, problem)
