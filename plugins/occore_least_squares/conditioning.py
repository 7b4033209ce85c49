"""Post-conditioning: an iteration for ½‖J S z − b‖² whose iterates are θ = S z.

    S               acts on          meaning
    identity        θ                the iteration as it is
    columns         θ                diag(1/‖J e_j‖): equilibrated columns, a right preconditioner
    integral        last axis of u   running sums: z are the differences of u
    double_integral last axis of u   running sums of running sums
    a matrix        last axis of u   as given, square

The k-th iterate lies in S times a Krylov space, so that S decides which solutions come first: with
sums, smooth ones. Hansen, Discrete Inverse Problems (2010), section 8.5; van der Sluis, Numer.
Math. 14 (1969), for columns: within √n of the best diagonal scaling.

    symbol   code           meaning
    J S      jvp            derivative of the residual in z
    S, Sᵀ    apply, adjoint
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from occore import AffineResidual, Array, InputError, Problem, affine_residual, column_norms

Named = Literal["identity", "columns", "integral", "double_integral"]
Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Conditioned:
    """The residual of a linear problem in z: r = r(0) + J S z."""

    unconditioned: AffineResidual
    problem: Problem
    S: Named | Matrix

    def residual(self, theta: Array) -> Array:
        """r(θ)."""
        return self.unconditioned.at_zero + self.unconditioned.jvp(theta)

    def jvp(self, z: Array) -> Array:
        """J S z."""
        return self.unconditioned.jvp(self.apply(z))

    def vjp(self, w: Array) -> Array:
        """Sᵀ Jᵀ w."""
        return self.adjoint(self.unconditioned.vjp(w))

    def apply(self, z: Array) -> Array:
        """S z, which is θ."""
        return self._product(z, transposed=False)

    def adjoint(self, g: Array) -> Array:
        """Sᵀ g: dot(apply(z), g) == dot(z, adjoint(g))."""
        return self._product(g, transposed=True)

    def _product(self, v: Array, *, transposed: bool) -> Array:
        if self.S == "identity":
            return v
        if self.S == "columns":
            return v / column_norms(self.problem)
        named = self.problem.layout.unflatten(v)
        return self.problem.layout.flatten(
            {name: self._along_rows(u, transposed) for name, u in named.items()}
        )

    def _along_rows(self, u: Array, transposed: bool) -> Array:
        """S or Sᵀ along the last axis of one control."""
        if isinstance(self.S, tuple):
            S = np.asarray(self.S, u.dtype)
            return u @ (S if transposed else S.T)
        for _ in range(1 if self.S == "integral" else 2):
            u = np.cumsum(u[..., ::-1], axis=-1)[..., ::-1] if transposed else np.cumsum(u, axis=-1)
        return u


def conditioned(problem: Problem, S: Named | Matrix) -> Conditioned:
    """The problem in z. Raises InputError for a matrix that fits no control."""
    if isinstance(S, tuple):
        shapes = [shape for shape in problem.layout.shapes.values() if shape[-1:] != (len(S),)]
        if shapes or any(len(row) != len(S) for row in S):
            raise InputError(
                f"the postconditioner has {len(S)} rows; it must be square, and as long as the "
                f"last axis of every control: {dict(problem.layout.shapes)}"
            )
    return Conditioned(affine_residual(problem), problem, S)
