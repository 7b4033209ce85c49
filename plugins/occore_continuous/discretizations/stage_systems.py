"""Linear systems of implicit stages: dense, sparse or matrix-free, for all samples at once.

    (M v)_i = v_i − h Σ_j a_ij f_x(X_i) v_j,    i, j = 1 … m coupled stages

    symbol   code     shape                        meaning
    f_x      J        (samples, n, n), or sparse   Jacobians at the stages, n entries of a state
    M        matrix   (samples, m n, m n)          or sparse (m samples n, m samples n)
    v, r     v, r     m arrays like the state      unknowns and right-hand sides

`solve(r)` is M⁻¹ r and `solve_transposed(r)` is M⁻ᵀ r, from one factorisation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from occore import Array, ComputationError, Controls, Dynamics, InputError, Linearization
from occore_continuous.discretizations.stages import zeros

Solver = Literal["auto", "dense", "sparse", "matrix_free"]
SolverOption = Annotated[Solver, Field(description="how the linear systems of a step are solved")]
Matrix = Sequence[Sequence[float]]
Arrays = list[Array]


@dataclass(frozen=True)
class Point:
    """Where a stage is evaluated, and the derivative of the field there."""

    t: float
    X: Array
    u: Controls
    part: Linearization


class StageSystem:
    """M at some points; its factorisation is made when it is first needed.

    solver: "auto" takes a sparse factorisation where `field.jacobian` gives a sparse matrix and a
    dense one elsewhere; Jacobians are assembled from tangents where the field has none.
    Raises ComputationError where M is singular, InputError where samples are coupled.
    """

    def __init__(
        self, solver: Solver, field: Dynamics, h: float, a: Matrix, points: Sequence[Point]
    ) -> None:
        if field.couples_samples:
            raise InputError(
                "an implicit step solves for each sample on its own, but the dynamics couples "
                "samples; take an explicit discretization"
            )
        self.solver, self.field, self.h, self.a, self.points = solver, field, h, a, points

    def solve(self, r: Arrays) -> Arrays:
        """M⁻¹ r."""
        return self._factor[0](r)

    def solve_transposed(self, r: Arrays) -> Arrays:
        """M⁻ᵀ r."""
        return self._factor[1](r)

    @cached_property
    def _factor(self) -> tuple[Callable[[Arrays], Arrays], Callable[[Arrays], Arrays]]:
        if self.solver == "matrix_free":
            return matrix_free(self.h, self.a, self.points)
        J = [self._jacobian(point) for point in self.points]
        sparse = self.solver == "sparse" or (self.solver == "auto" and not _is_dense(J[0]))
        shape = self.points[0].X.shape
        try:
            return (sparse_lu if sparse else dense_inverse)(self.h, self.a, J, shape)
        except (np.linalg.LinAlgError, RuntimeError) as error:
            raise ComputationError(
                f"the matrix of an implicit stage is singular at t = {self.points[0].t:.8g}, "
                f"h = {self.h:.3g}: take another step length"
            ) from error

    def _jacobian(self, point: Point) -> Any:
        if self.field.jacobian is None:
            return assemble(point.part, point.X, point.u)
        return self.field.jacobian(point.t, point.X, point.u)


def assemble(part: Linearization, X: Array, u: Controls) -> Array:
    """f_x (samples, n, n) from the tangents along the n unit vectors."""
    samples, n, du = len(X), math.prod(X.shape[1:]), zeros(u)
    columns = []
    for j in range(n):
        unit = np.zeros((samples, n), X.dtype)
        unit[:, j] = 1
        columns.append(part.jvp(unit.reshape(X.shape), du).reshape(samples, n))
    return np.stack(columns, axis=2)  # of the type of the tangents: complex where u alone is


def dense_inverse(h: float, a: Matrix, J: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """Products with the inverses of the samples' matrices.

    One inversion serves Newton's steps, tangents and adjoints as batched products, which NumPy has,
    while it has no batched triangular solves. A product with the inverse is as accurate as a solve:
    A. Druinsky and S. Toledo, How accurate is inv(A) b?, arXiv:1201.6035 (2012).
    """
    m, samples, n = len(a), shape[0], math.prod(shape[1:])
    blocks = [_dense(Ji, samples, n) for Ji in J]
    M = np.empty((samples, m, n, m, n), np.result_type(*blocks))
    for i in range(m):
        for j in range(m):
            M[:, i, :, j, :] = (i == j) * np.eye(n, dtype=M.dtype) - h * a[i][j] * blocks[i]
    inverse = np.linalg.inv(M.reshape(samples, m * n, m * n))

    def apply(matrix: Array, r: Arrays) -> Arrays:
        stacked = np.stack([ri.reshape(samples, n) for ri in r], axis=1)
        v = (matrix @ stacked.reshape(samples, m * n, 1)).reshape(samples, m, n)
        return [v[:, i].reshape(shape) for i in range(m)]

    transposed = inverse.swapaxes(1, 2)
    return (lambda r: apply(inverse, r)), (lambda r: apply(transposed, r))


def sparse_lu(h: float, a: Matrix, J: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """One sparse LU factorisation (SuperLU) of the block-diagonal matrix of all samples."""
    import scipy.sparse
    import scipy.sparse.linalg

    m, samples, n = len(a), shape[0], math.prod(shape[1:])
    blocks = [_sparse(Ji, samples, n) for Ji in J]
    eye = scipy.sparse.eye_array(samples * n, dtype=blocks[0].dtype)
    rows = [
        [(eye if i == j else 0 * eye) - h * a[i][j] * blocks[i] for j in range(m)] for i in range(m)
    ]
    lu = scipy.sparse.linalg.splu(scipy.sparse.block_array(rows, format="csc"))

    def apply(r: Arrays, transposed: str) -> Arrays:
        b: Array = np.concatenate([ri.ravel() for ri in r])
        if np.iscomplexobj(b) and not np.iscomplexobj(lu.U):
            v = lu.solve(b.real, trans=transposed) + 1j * lu.solve(b.imag, trans=transposed)
        else:
            v = lu.solve(b, trans=transposed)
        return [vi.reshape(shape) for vi in v.reshape(m, -1)]

    return (lambda r: apply(r, "N")), (lambda r: apply(r, "T"))


def matrix_free(h: float, a: Matrix, points: Sequence[Point]) -> Any:
    """GMRES on products of the field's linearizations; nothing is assembled."""
    m, du = len(a), [zeros(point.u) for point in points]

    def forward(v: Arrays) -> Arrays:
        sums = [h * sum(a[i][j] * v[j] for j in range(m)) for i in range(m)]
        return [v[i] - points[i].part.jvp(sums[i], du[i]) for i in range(m)]

    def adjoint(v: Arrays) -> Arrays:
        g = [points[i].part.vjp(v[i])[0] for i in range(m)]
        return [v[j] - h * sum(a[i][j] * g[i] for i in range(m)) for j in range(m)]

    where = f"at t = {points[0].t:.8g}, h = {h:.3g}"
    return (lambda r: _gmres(forward, r, where)), (lambda r: _gmres(adjoint, r, where))


def _gmres(product: Callable[[Arrays], Arrays], r: Arrays, where: str) -> Arrays:
    """GMRES with iterative refinement, so that the residual comes down to rounding.

    Raises ComputationError where the residual is not even below the first tolerance.
    """
    import scipy.sparse.linalg

    shape = len(r), *r[0].shape
    b = np.concatenate([ri.ravel() for ri in r])

    def flat(v: Array) -> Array:
        return np.concatenate([p.ravel() for p in product(list(v.reshape(shape)))])

    dtype = np.result_type(b, flat(b))  # the matrix is complex where (x, u) is, also if r is real
    operator = scipy.sparse.linalg.LinearOperator((b.size, b.size), matvec=flat, dtype=dtype)
    tolerance = float(np.sqrt(np.finfo(dtype).eps))
    v, rest = np.zeros(b.size, dtype), b.astype(dtype)
    for _ in range(REFINEMENTS):
        if not np.any(rest):
            break
        change, _ = scipy.sparse.linalg.gmres(
            operator, rest, rtol=tolerance, atol=0.0, restart=min(b.size, RESTART), maxiter=CYCLES
        )
        v = v + change.astype(dtype)
        rest = b - flat(v)
    relative = float(np.linalg.norm(rest)) / (float(np.linalg.norm(b)) or 1.0)
    if not relative <= tolerance:
        raise ComputationError(
            f"GMRES for an implicit stage did not converge {where}: the residual is {relative:.3g} "
            'of the right-hand side. Take shorter steps, or solver = "sparse" or "dense"'
        )
    return list(v.reshape(shape))


REFINEMENTS = 3  # the square root of the unit of rounding twice, and once more against cancellation
RESTART = 60
CYCLES = 20  # 1200 products, where SciPy would go on for 600 n


def _is_dense(J: Any) -> bool:
    return isinstance(J, np.ndarray)


def _dense(J: Any, samples: int, n: int) -> Array:
    """The diagonal blocks (samples, n, n)."""
    if _is_dense(J):
        return J
    J = J.tocoo()
    blocks = np.zeros((samples, n, n), J.dtype)
    np.add.at(blocks, (J.row // n, J.row % n, J.col % n), J.data)
    return blocks


def _sparse(J: Any, samples: int, n: int) -> Any:
    """One block-diagonal matrix (samples n, samples n)."""
    import scipy.sparse

    if not _is_dense(J):
        return J
    k, i, j = np.nonzero(J)
    size = (samples * n, samples * n)
    return scipy.sparse.csr_array((J[k, i, j], (k * n + i, k * n + j)), shape=size)
