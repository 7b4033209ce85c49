"""Graph cut: what spectral clustering minimises, the energy of the end state of a chain.

    Φ(x) = ½ tr xᵀLx

symbol   code         shape                    meaning
x        x            (samples, n, clusters)   field on the nodes
L        laplacian    (n, n) sparse            Laplacian of the graph, from the data

If each row of x has a single one, the cluster of the node, and L = D − W, then Φ is the weight of
the edges between different clusters. Over fields with xᵀx = I it is least where x spans the
eigenvectors of the smallest eigenvalues (Ky Fan 1949): the relaxation that spectral clustering
solves. von Luxburg, A tutorial on spectral clustering (2007), section 5.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from occore import (
    Array,
    Data,
    Example,
    ObjectiveLinearization,
    TerminalObjective,
    array_namespace,
)
from occore_semisupervised.graph_data import GraphData, graph_of
from occore_semisupervised.graphs.laplacian import node_product, require_symmetric
from occore_semisupervised.label_metrics import matched_accuracy


@dataclass(frozen=True)
class GraphCut(TerminalObjective):
    """½ tr xᵀLx of the end state."""

    laplacian: Any = field(default=None, compare=False, metadata={"option": False})

    def for_data(self, data: Data) -> GraphCut:
        """With the Laplacian of the data. Raises InputError for none, or the random walk's."""
        graph = graph_of(data)
        require_symmetric(graph.kind)
        return replace(self, laplacian=graph.laplacian)

    def __call__(self, x: Array, target: Array) -> Array:
        """Φ."""
        return self.linearize(x, target)[0]

    def linearize(self, x: Array, target: Array) -> tuple[Array, ObjectiveLinearization]:
        """Φ and the derivatives, from L x."""
        Lx = node_product(self.laplacian, x)
        return array_namespace(x).sum(x * Lx) / 2, GraphCutLinearization(self.laplacian, Lx)

    def row_quadratic(self, target: Array) -> tuple[Any, Array]:
        """L for each sample, and the centre zero."""
        import scipy.sparse

        samples, nodes, columns = target.shape
        Q = scipy.sparse.kron(scipy.sparse.eye_array(samples), self.laplacian, format="csr")
        return Q.astype(target.dtype), np.zeros((samples * nodes, columns), target.dtype)

    def metrics(self, x: Array, data: Data) -> dict[str, float]:
        """Of a graph whose classes are known: the accuracy of the best matching of clusters."""
        if not isinstance(data, GraphData):
            return {}
        known = data.truth >= 0
        if not np.any(known):
            return {}
        found = np.argmax(x[0], axis=1)
        return {"matched_accuracy": matched_accuracy(data.truth[known], found[known])}

    @classmethod
    def example(cls) -> Example:
        """Four nodes in a row, weights 1, 5, 1, cut in the middle: 5, by hand."""
        import scipy.sparse

        L = np.array([[1, -1, 0, 0], [-1, 6, -5, 0], [0, -5, 6, -1], [0, 0, -1, 1]], float)
        x = [[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]]
        return Example(cls(scipy.sparse.csr_array(L)), x=x, target=x, value=5.0)


@dataclass(frozen=True)
class GraphCutLinearization(ObjectiveLinearization):
    """Gradient L x, Hessian L."""

    laplacian: Any
    Lx: Array

    def gradient(self) -> Array:
        """L x."""
        return self.Lx

    def hessian_product(self, d: Array) -> Array:
        """L d."""
        return node_product(self.laplacian, d)

    def gauss_newton_product(self, d: Array) -> Array:
        """All of the Hessian."""
        return node_product(self.laplacian, d)
