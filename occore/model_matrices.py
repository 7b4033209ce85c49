"""What problems with a linear model hand out, weights included: products and matrices.

affine_residual        r(θ) = r(0) + J θ, with products of J
linear_model           end states A Θ and penalties ½‖L Θ‖²
dense_least_squares    ½‖A Θ − B‖² + ½‖L Θ‖²
column_norms           ‖J e_j‖ of its residual, without forming J
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from occore.arrays import Array, is_sparse, scaled
from occore.errors import StructureError
from occore.evaluation import Evaluation
from occore.phase import Phase
from occore.problem import Problem
from occore.structure import require_structure, without_matrices


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
    return problem.once("affine residual", lambda: _affine_residual(problem))


def _affine_residual(problem: Problem) -> AffineResidual:
    require_structure(problem, "linear_least_squares")
    forward = problem.counts.forward
    origin = problem.at(np.zeros(problem.size, problem.dtype))
    problem.counts.forward = forward  # set-up is no work of an iteration, nor done by all
    return AffineResidual(origin.residual(), origin)


def column_norms(problem: Problem) -> Array:
    """‖J e_j‖ of each unknown, (size,), where the problem hands out its matrices; 1 for a zero.

    Sparse matrices stay sparse. Raises StructureError where it cannot hand them out.
    """
    return problem.once("column norms", lambda: _column_norms(problem))


def _column_norms(problem: Problem) -> Array:
    why = without_matrices(problem)
    if why is not None:
        raise StructureError(f"columns are scaled where they are at hand, but {why}")
    last, norms = problem.phases[-1], {}
    samples, design = _design(problem)
    weight = sum(scale**2 for scale in _scales(problem, samples))
    for name, M in design.items():
        squares = weight * _column_squares(M)
        for factor, term in problem.penalties:
            rows = _row_operator(term, last.name, name, M.shape[1])
            squares = squares if rows is None else squares + factor * _column_squares(rows)
        root = np.where(squares > 0, np.sqrt(squares), 1.0)
        shape = last.layout.shapes[name]
        norms[name] = np.broadcast_to(root, (math.prod(shape) // root.size, root.size))
    return last.layout.flatten(norms).astype(problem.dtype)


def _column_squares(M: Array) -> Array:
    return np.asarray((M.multiply(M) if is_sparse(M) else M * M).sum(axis=0))


@dataclass(frozen=True)
class LinearModel:
    """End states A Θ of affine controls, and penalties ½‖L Θ‖².

    features: A (samples, columns), an array or a sparse matrix. operators: one L (rows, columns)
    for each penalty, weights included. Θ: (columns, outputs); the rows of Θ are the columns of the
    controls, one after the other.
    """

    features: Any
    operators: tuple[Array, ...]
    outputs: int
    phase: Phase

    def theta(self, matrix: Array) -> Array:
        """The flat vector θ of Θ (columns, outputs)."""
        layout, start, controls = self.phase.layout, 0, {}
        for name, shape in layout.shapes.items():
            columns = math.prod(shape) // self.outputs
            controls[name] = matrix[start : start + columns].T.reshape(shape)
            start += columns
        return layout.flatten(controls)

    def matrix(self, theta: Array) -> Array:
        """Θ of a flat vector: theta(matrix(v)) == v."""
        named = self.phase.layout.unflatten(theta)
        return np.concatenate([named[name].reshape(self.outputs, -1) for name in named], axis=1).T


def linear_model(problem: Problem) -> LinearModel:
    """The matrices of a linear model; the features are sparse where those of one control are.

    Raises StructureError where the problem cannot hand them out.
    """
    require_structure(problem, "linear_model")
    _, design = _design(problem)
    last, parts = problem.phases[-1], list(design.values())
    widths = {name: part.shape[1] for name, part in design.items()}
    if any(is_sparse(part) for part in parts):
        import scipy.sparse

        features = scipy.sparse.hstack(parts, format="csr")
    else:
        features = _joined(parts, axis=1)
    operators = tuple(
        (math.sqrt(weight) * _padded(term, last.name, widths)).astype(features.dtype)
        for weight, term in problem.penalties
    )
    return LinearModel(features, operators, math.prod(problem.output_shape), last)


@dataclass(frozen=True)
class DenseLeastSquares:
    """½‖A Θ − B‖² + ½‖L Θ‖² in Frobenius norms.

    A: (samples, columns). B: (samples, outputs). operators: one L (rows, columns) for each penalty,
    of which L is the stack; rows may be 0. Θ: (columns, outputs), as in the linear model.
    """

    A: Array
    B: Array
    operators: tuple[Array, ...]
    model: LinearModel

    @property
    def L(self) -> Array:
        """All operators in one."""
        return np.vstack([np.zeros((0, self.A.shape[1]), self.A.dtype), *self.operators])

    def stacked(self) -> tuple[Array, Array]:
        """The one system with the matrix [A; L] and the right-hand side [B; 0]."""
        zero = np.zeros((self.L.shape[0], self.B.shape[1]), self.B.dtype)
        return np.vstack([self.A, self.L]), np.vstack([self.B, zero])

    def theta(self, matrix: Array) -> Array:
        """The flat vector θ of a solution Θ (columns, outputs)."""
        return self.model.theta(matrix)


def dense_least_squares(problem: Problem) -> DenseLeastSquares:
    """The matrices (A, B, L) of a linear least-squares problem, weights included.

    Raises StructureError where the problem cannot hand them out.
    """
    require_structure(problem, "dense_least_squares")
    model, samples = linear_model(problem), problem.data.samples
    target = problem.data.targets.reshape(samples, -1)
    scales = _scales(problem, samples)
    return DenseLeastSquares(
        _joined([scaled(scale, model.features) for scale in scales], axis=0),
        _joined([scaled(scale, target) for scale in scales], axis=0),
        model.operators,
        model,
    )


def _joined(blocks: list[Array], axis: int) -> Array:
    """The blocks as one matrix; a single one is not copied, since it may be large."""
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=axis)


def _design(problem: Problem) -> tuple[int, dict[str, Array]]:
    """Number of samples, and the matrix for each control of the last phase."""
    part = problem.controlled_part
    x, (last,) = part.data.inputs, part.phases
    assert last.dynamics.design is not None  # noqa: S101 - the structure was required
    return x.shape[0], last.dynamics.design(0.0, x)


def _scales(problem: Problem, samples: int) -> list[float]:
    """√weight times the scale of the residual, of each terminal term."""
    return [
        math.sqrt(weight) * term.residual_scale(samples)  # pyright: ignore[reportOptionalCall]
        for weight, term in problem.terminal
    ]


def _row_operator(term: Any, phase: str, control: str, columns: int) -> Array | None:
    return term.row_operator(phase, control, columns)


def _padded(term: object, phase: str, widths: dict[str, int]) -> Array:
    """The operator of a penalty, with a block of columns for each control."""
    start, total, result = 0, sum(widths.values()), []
    for name, columns in widths.items():
        rows = _row_operator(term, phase, name, columns)
        if rows is not None:
            padded = np.zeros((rows.shape[0], total))
            padded[:, start : start + columns] = rows.toarray() if is_sparse(rows) else rows
            result.append(padded)
        start += columns
    return np.vstack([np.zeros((0, total)), *result])
