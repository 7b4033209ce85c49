"""Sparse factorisation: the solution of H Θ = B by SuperLU in its symmetric mode.

See `eigen.factorisation` for why these are Cholesky's factors in all but name. The factors of
neighbour graphs fill in: some thousand nodes are fast, beyond ten thousand take `cg`.

A component of the graph that no label reaches leaves H singular; its nodes keep zero, which is a
minimiser, the one of least norm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from occore import Array, Example, SparseQuadratic
from occore_semisupervised.direct import DirectSolver
from occore_semisupervised.eigen.factorisation import factorised
from occore_semisupervised.graphs.connectivity import components
from occore_semisupervised.path_of_three import path_of_three


@dataclass(frozen=True)
class SparseLU(DirectSolver):
    """Direct; one iteration."""

    def minimise(self, system: SparseQuadratic) -> Array:
        """H⁻¹ B on the components that the fit reaches."""
        reached = reached_nodes(system)
        matrix = np.zeros_like(system.B)
        if reached.size:
            matrix[reached] = factorised(system.H[reached][:, reached])(system.B[reached])
        return matrix

    @classmethod
    def example(cls) -> Example:
        """Labels at both ends of three nodes, by hand; see `path_of_three`."""
        return path_of_three(cls())


def reached_nodes(system: SparseQuadratic) -> Array:
    """The nodes in components of H in which the fit, not the penalty alone, has an entry."""
    label = components(system.H)
    reached = np.zeros(label.max() + 1, bool)
    reached[label[system.fit.diagonal() != 0]] = True
    return np.flatnonzero(reached[label])
