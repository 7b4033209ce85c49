"""Preconditioned conjugate gradients on a sparse quadratic problem, all columns at once.

    q = H p,  a = γ/(pᵀq),  Θ ← Θ + a p,  r ← r − a q,  z = P⁻¹r,  γ₊ = rᵀz,  p ← z + (γ₊/γ) p

Each column of Θ is a system of its own with the same H, and has its own a and γ. Hestenes and
Stiefel (1952); Saad, Iterative Methods for Sparse Linear Systems (2003), algorithm 9.1. On a
component of the graph without a label H is singular and B zero: Θ stays there as it began.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from occore import (
    Array,
    Example,
    Optimizer,
    Problem,
    SparseQuadratic,
    State,
    Status,
    Structure,
    norm,
    sparse_quadratic,
    stop,
)
from occore_semisupervised.path_of_three import path_of_three
from occore_semisupervised.preconditioners import PreconditionerKind, preconditioner


@dataclass(frozen=True)
class CGState(State):
    """Residual r = B − H Θ and direction p (n, columns); γ = rᵀz of each column."""

    initial_gradient_norm: float
    r: Array
    p: Array
    gamma: Array


@dataclass(frozen=True)
class CG(Optimizer[CGState]):
    """One product with H a step; n steps at most in exact arithmetic."""

    resume: ClassVar[Literal["exact", "restart"]] = "exact"
    requires: ClassVar[tuple[Structure, ...]] = ("sparse_quadratic",)
    state: ClassVar[type[State]] = CGState

    preconditioner: Annotated[
        PreconditionerKind, Field(description="amg needs pyamg (extra `amg`)")
    ] = "jacobi"
    max_iterations: Annotated[int, Field(gt=0, description="steps at most")] = 2000
    tolerance: Annotated[
        float, Field(ge=0, description="gradient norm relative to the first one")
    ] = 1e-8

    def init(self, problem: Problem, theta: Array) -> CGState:
        """The first direction is the preconditioned residual."""
        system = sparse_quadratic(problem)
        matrix = system.matrix(theta)
        r = system.B - system.hessian_product(matrix)
        z = self._precondition(system)(r)
        size = norm(r)
        return CGState(0, system.value(matrix, r), size, float("nan"), size, r, z, _dots(r, z))

    def step(self, problem: Problem, theta: Array, state: CGState) -> tuple[Array, CGState]:
        """One step in every column that is not solved exactly."""
        system, p = sparse_quadratic(problem), state.p
        q = system.hessian_product(p)
        a = _ratio(state.gamma, _dots(p, q))
        matrix = system.matrix(theta) + a * p
        r = state.r - a * q
        z = self._precondition(system)(r)
        gamma = _dots(r, z)
        return matrix.ravel(), CGState(
            state.iteration + 1,
            system.value(matrix, r),
            norm(r),
            float(np.max(a)),
            state.initial_gradient_norm,
            r,
            z + _ratio(gamma, state.gamma) * p,
            gamma,
        )

    def finished(self, problem: Problem, theta: Array, state: CGState) -> Status | None:
        """By the gradient norm."""
        return stop(
            state,
            initial=state.initial_gradient_norm,
            tolerance=self.tolerance,
            max_iterations=self.max_iterations,
        )

    def _precondition(self, system: SparseQuadratic) -> Callable[[Array], Array]:
        kind = self.preconditioner
        return system.problem.once(f"preconditioner {kind}", lambda: preconditioner(kind, system.H))

    @classmethod
    def example(cls) -> Example:
        """Labels at both ends of three nodes, by hand; see `path_of_three`."""
        return path_of_three(cls(tolerance=1e-14))


def _dots(a: Array, b: Array) -> Array:
    """The inner product of each column."""
    return np.einsum("ij,ij->j", a, b)


def _ratio(a: Array, b: Array) -> Array:
    """a / b, and 0 where b is: the column is solved."""
    return np.divide(a, b, out=np.zeros_like(a), where=b != 0)
