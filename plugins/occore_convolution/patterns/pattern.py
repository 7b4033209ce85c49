"""Parametric matrices: linear in their parameters, with a structure that a sparse Q fixes.

    K(θ) = mat(Q θ),    ⟨K(θ), P⟩ = ⟨θ, Qᵀ vec(P)⟩

symbol   code             shape               meaning
θ        theta            (parameters,)       the unknowns
Q        Q                (n², parameters)    sparse; its columns are the matrices that K is made of
K        matrix(theta)    (n, n)              K(θ)
P        P                (n, n)              adjoint of K

vec puts the rows of a matrix one after the other, mat undoes it. Since K is linear in θ, its
derivative is Q: dK = mat(Q dθ). Haber and Ruthotto, Stable architectures for deep neural networks,
Inverse Problems 34 (2018).
"""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import Any

import numpy as np

from occore import Array, Interface, array_namespace

Entries = tuple[Array, Array, Array, Array]
"""(row, column, parameter, factor): K[row, column] has the term factor · θ[parameter]."""


class Pattern(Interface):
    """A structure of n × n matrices; a frozen dataclass with the field `n`."""

    n: int
    """Rows and columns of K."""

    @property
    @abstractmethod
    def parameters(self) -> int:
        """Length of θ."""

    @abstractmethod
    def entries(self) -> Entries:
        """The terms of the entries of K; places that are not named are zero."""

    @cached_property
    def Q(self) -> Any:
        """The sparse matrix (n², parameters)."""
        from scipy.sparse import csr_array

        row, column, parameter, factor = self.entries()
        places = (np.asarray(row) * self.n + np.asarray(column), parameter)
        return csr_array((factor, places), shape=(self.n**2, self.parameters))

    def matrix(self, theta: Array) -> Array:
        """K(θ) = mat(Q θ), (n, n)."""
        return array_namespace(theta).reshape(_product(self.Q, theta), (self.n, self.n))

    def transpose(self, P: Array) -> Array:
        """Qᵀ vec(P), (parameters,): the adjoint of `matrix`."""
        return _product(self.Q.T, array_namespace(P).reshape(P, (-1,)))


def _product(Q: Any, v: Array) -> Array:
    """Q v, of the type of v; with a dense Q for libraries that do not take SciPy's matrices."""
    if isinstance(v, np.ndarray):
        return Q.astype(v.dtype) @ v
    return array_namespace(v).asarray(Q.toarray(), dtype=v.dtype) @ v
