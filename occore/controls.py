"""Control spaces: how u depends on time, on a grid of its own.

    u(s) = Σ_k B_k(s) c_k,    s = (t − start) / horizon in [0, 1]

    symbol   code             shape                meaning
    c        coefficients     (size, *shape)       the unknowns of one control
    B        basis(...)       (times, size)        basis functions at the wanted times, sparse
    u                         (times, *shape)      the control at those times

A control space is linear in its coefficients: `evaluate(B, c)` is the control, and
`evaluate(Bᵀ, p)` its exact adjoint, not a quadrature of it; the discrete gradient rests on this.
Relative time keeps a free horizon out of it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from occore.arrays import Array, Controls, array_namespace
from occore.interface import Interface, overridable


class ControlSpace(Interface):
    """A finite-dimensional space of functions of relative time; a frozen dataclass of options.

    `steps` is the number of steps of the phase, for spaces that follow the grid of the state.
    """

    @abstractmethod
    def size(self, steps: int) -> int:
        """Number of coefficients of each control."""

    @abstractmethod
    def basis(self, steps: int, times: Array, inside: Array) -> Any:
        """The sparse matrix B (times, size) of the basis functions.

        times: (M,), relative, where to evaluate. inside: (M,), a point of the same step, off the
        nodes. A space of pieces takes the piece that holds `inside`, so that the values at the end
        of one step and at the start of the next are one-sided limits.
        """

    @abstractmethod
    def nodes(self, steps: int) -> Array:
        """Relative times (size,) that belong to the coefficients; they determine a member."""

    derivative_basis: Callable[[int, Array, Array, int], Any] | None = None
    """Optional: the matrix of the derivatives of the basis functions in relative time.

    `derivative_basis(steps, times, inside, order)` is to the first or second derivative of a
    control what `basis` is to its value. Events need it where a control varies in time.
    """

    @overridable
    def breaks(self, steps: int) -> Array:
        """Relative times inside (0, 1) at which members may jump; adaptive steps end there."""
        return np.zeros(0)

    def prolong(self, c: Controls, steps: int, onto: ControlSpace, onto_steps: int) -> Controls:
        """The member of `onto` that agrees with this control at the nodes of `onto`.

        Exact where `onto` contains the control, as a refined grid does.
        """
        nodes = onto.nodes(onto_steps)
        inside = np.clip(nodes, 1e-9, 1 - 1e-9)
        values = evaluate(self.basis(steps, nodes, inside), c)
        matrix = onto.basis(onto_steps, nodes, inside).toarray()
        return {
            name: np.linalg.solve(matrix, value.reshape(len(nodes), -1)).reshape(value.shape)
            for name, value in values.items()
        }


def evaluate(matrix: Any, coefficients: Controls) -> Controls:
    """`matrix` (rows, columns) times the leading axis (columns, …) of each named array."""
    result = {}
    for name, c in coefficients.items():
        xp = array_namespace(c)
        flat = xp.reshape(c, (c.shape[0], -1))
        product = xp.asarray(matrix @ flat, dtype=c.dtype)
        result[name] = xp.reshape(product, (matrix.shape[0], *c.shape[1:]))
    return result
