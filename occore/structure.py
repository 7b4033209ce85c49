"""Structure of a problem that optimizers may ask for: asked for, not guessed.

    least_squares          J(θ) = ½‖r(θ)‖²
    linear_least_squares   r(θ) = r(0) + J θ
    dense_least_squares    ½‖A Θ − B‖² + ½‖L Θ‖², with matrices at hand; Θ is θ as a matrix
    sparse_quadratic       ½ tr ΘᵀHΘ − tr BᵀΘ + c with a sparse H, see `occore.sparse_quadratic`

`spoiler` says what a problem lacks, and which phase or term spoils it, before any work.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from occore.arrays import Array
from occore.errors import StructureError
from occore.evaluation import Evaluation
from occore.phase import Phase
from occore.problem import Problem
from occore.sparse_quadratic import not_sparse_quadratic

Structure = Literal[
    "least_squares", "linear_least_squares", "dense_least_squares", "sparse_quadratic"
]


def spoiler(problem: Problem, structure: Structure) -> str | None:
    """Why the problem lacks the structure, naming the phase or the term; `None` where it has it."""
    if structure == "least_squares":
        return _not_squares(problem)
    if structure == "linear_least_squares":
        return _not_squares(problem) or _not_affine(problem)
    if structure == "sparse_quadratic":
        return not_sparse_quadratic(problem)
    return _not_squares(problem) or _not_affine(problem) or _not_dense(problem)


def require_structure(problem: Problem, structure: Structure) -> None:
    """Raise StructureError where the problem lacks the structure."""
    why = spoiler(problem, structure)
    if why is not None:
        raise StructureError(f"needs {structure.replace('_', ' ')}, but {why}")


def _not_squares(problem: Problem) -> str | None:
    for weight, term in problem.objective.terms:
        if not getattr(term, "sum_of_squares", False):
            return f"the term {_kind(term)} of the objective is no sum of squares"
        if weight < 0:
            return f"the term {_kind(term)} of the objective has the negative weight {weight:g}"
    return None


def _not_affine(problem: Problem) -> str | None:
    for _, term in problem.objective.terms:
        if not getattr(term, "affine_residual", False):
            return f"the residual of the term {_kind(term)} is not affine"
    controlled = [phase for phase in problem.phases if phase.layout.size]
    for phase in controlled[:1]:
        if not phase.dynamics.affine_in_controls:
            return f"the phase {_name(phase)} is not affine in its controls"
        if phase.discretization is not None:
            return f"the phase {_name(phase)} is integrated, which makes it nonlinear in them"
    for phase in controlled[1:]:
        return (
            f"the phase {_name(phase)} is a second one with controls: their product is not affine"
        )
    last = problem.phases[-1]
    if not controlled or controlled[0] is not last:
        return f"the phase {_name(last)} comes after or instead of the one with the controls"
    return None


def _not_dense(problem: Problem) -> str | None:
    last = problem.phases[-1]
    if last.dynamics.design is None:
        return f"the phase {_name(last)} has no design matrix"
    for _, term in problem.terminal:
        if term.residual_scale is None:
            return f"the residual of the term {_kind(term)} is no multiple of x − target"
    for _, term in problem.penalties:
        if term.row_operator is None:
            return f"the penalty {_kind(term)} has no operator that acts on the rows"
    return None


def _name(phase: Phase) -> str:
    return f"{phase.name!r} ({_kind(phase.dynamics)})"


def _kind(thing: object) -> str:
    return type(thing).__name__


@dataclass(frozen=True)
class AffineResidual:
    """r(θ) = r(0) + J θ, with J known by its products; J does not depend on θ."""

    at_zero: Array
    origin: Evaluation

    def jvp(self, v: Array) -> Array:
        """J v."""
        return self.origin.residual_jvp(v)

    def vjp(self, w: Array) -> Array:
        """Jᵀ w."""
        return self.origin.residual_vjp(w)


def affine_residual(problem: Problem) -> AffineResidual:
    """The residual of a linear least-squares problem, matrix-free; one object for each problem.

    Raises StructureError where the problem is none.
    """
    cache = problem.__dict__  # as functools.cached_property does: a problem never changes
    if "_affine_residual" not in cache:
        require_structure(problem, "linear_least_squares")
        forward = problem.counts.forward
        origin = problem.at(np.zeros(problem.size, problem.dtype))
        problem.counts.forward = forward  # set-up is no work of an iteration, nor done by all
        cache["_affine_residual"] = AffineResidual(origin.residual(), origin)
    return cache["_affine_residual"]


@dataclass(frozen=True)
class DenseLeastSquares:
    """½‖A Θ − B‖² + ½‖L Θ‖² in Frobenius norms.

    A: (samples, columns). B: (samples, outputs). L: (rows, columns), rows may be 0. Θ: (columns,
    outputs); the rows of Θ are the columns of the controls, one after the other.
    """

    A: Array
    B: Array
    L: Array
    phase: Phase

    def stacked(self) -> tuple[Array, Array]:
        """The one system with the matrix [A; L] and the right-hand side [B; 0]."""
        zero = np.zeros((self.L.shape[0], self.B.shape[1]), self.B.dtype)
        return np.vstack([self.A, self.L]), np.vstack([self.B, zero])

    def theta(self, matrix: Array) -> Array:
        """The flat vector θ of a solution Θ (columns, outputs)."""
        layout, start, controls = self.phase.layout, 0, {}
        for name, shape in layout.shapes.items():
            columns = math.prod(shape) // self.B.shape[1]
            controls[name] = matrix[start : start + columns].T.reshape(shape)
            start += columns
        return layout.flatten(controls)


def dense_least_squares(problem: Problem) -> DenseLeastSquares:
    """The matrices (A, B, L) of a linear least-squares problem, weights included.

    Raises StructureError where the problem cannot hand them out.
    """
    require_structure(problem, "dense_least_squares")
    x = problem.data.inputs
    for phase in problem.phases[:-1]:
        x = phase(x, {})
    last = problem.phases[-1]
    assert last.dynamics.design is not None  # noqa: S101 - the structure was required
    design = last.dynamics.design(0.0, x)
    matrix = np.hstack([design[name] for name in last.layout])
    target = problem.data.targets.reshape(x.shape[0], -1)
    blocks, sides = [], []
    for weight, term in problem.terminal:
        assert term.residual_scale is not None  # noqa: S101 - the structure was required
        scale = math.sqrt(weight) * term.residual_scale(x.shape[0])
        blocks.append(scale * matrix)
        sides.append(scale * target)
    widths = {name: design[name].shape[1] for name in last.layout}
    operators = [np.zeros((0, matrix.shape[1]), matrix.dtype)]
    for weight, term in problem.penalties:
        operators.extend(
            math.sqrt(weight) * rows for rows in _row_operators(term, last.name, widths)
        )
    return DenseLeastSquares(
        np.vstack(blocks), np.vstack(sides), np.vstack(operators).astype(matrix.dtype), last
    )


def _row_operators(term: object, phase: str, widths: dict[str, int]) -> list[Array]:
    """The operator of a penalty on each control, padded to all columns of A."""
    result, start, total = [], 0, sum(widths.values())
    for name, columns in widths.items():
        rows = term.row_operator(phase, name, columns)  # pyright: ignore[reportAttributeAccessIssue]
        if rows is not None:
            padded = np.zeros((rows.shape[0], total), rows.dtype)
            padded[:, start : start + columns] = rows
            result.append(padded)
        start += columns
    return result
