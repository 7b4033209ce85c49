"""Graph Laplacians, sparse, and their products with fields on the nodes.

    combinatorial   L = D − W                         vᵀLv = ½ Σ_i Σ_j W_ij (v_i − v_j)²
    symmetric       D^(−1/2) L D^(−1/2)               the same in v_i/√d_i
    random_walk     D⁻¹ L                             not symmetric

W (n, n) symmetric weights, d_i = Σ_j W_ij, D = diag(d). The ½ stands because each edge is met in
both orders; one slide of the course leaves it out. A node without edges has a row of zeros.
von Luxburg, A tutorial on spectral clustering (2007), section 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from occore import Array, InputError, array_namespace
from occore_semisupervised.graphs.edges import Edges

LaplacianKind = Literal["combinatorial", "symmetric", "random_walk"]


def weight_matrix(edges: Edges, weights: Array) -> Any:
    """W (n, n), CSR, from the weight of each edge."""
    import scipy.sparse

    i, j = np.concatenate([edges.i, edges.j]), np.concatenate([edges.j, edges.i])
    both = np.concatenate([weights, weights])
    return scipy.sparse.csr_array((both, (i, j)), shape=(edges.nodes, edges.nodes))


def laplacian(W: Any, kind: LaplacianKind = "combinatorial") -> Any:
    """The Laplacian (n, n), CSR, of symmetric weights W."""
    import scipy.sparse

    d = W.sum(axis=1)
    L = scipy.sparse.diags_array(d) - W
    if kind == "combinatorial":
        return L.tocsr()
    power = -0.5 if kind == "symmetric" else -1.0
    scale = scipy.sparse.diags_array(_power(d, power))
    return (scale @ L @ scale if kind == "symmetric" else scale @ L).tocsr()


def incidence(edges: Edges, weights: Array, kind: LaplacianKind = "combinatorial") -> Any:
    """B (edges, n), CSR, with BᵀB = L: row √w_ij (v_i − v_j) for each edge.

    Raises InputError for the random-walk Laplacian, which is not symmetric.
    """
    import scipy.sparse

    require_symmetric(kind)
    rows, root = np.arange(len(edges.i)), np.sqrt(weights)
    values = np.concatenate([root, -root])
    places = np.concatenate([rows, rows]), np.concatenate([edges.i, edges.j])
    B = scipy.sparse.csr_array((values, places), shape=(len(rows), edges.nodes))
    if kind == "combinatorial":
        return B
    d = weight_matrix(edges, weights).sum(axis=1)
    return (B @ scipy.sparse.diags_array(_power(d, -0.5))).tocsr()


def require_symmetric(kind: LaplacianKind) -> None:
    """Raise InputError for the random-walk Laplacian."""
    if kind == "random_walk":
        raise InputError(
            "needs a symmetric Laplacian, which random_walk is not; set data.laplacian to "
            '"combinatorial" or "symmetric"'
        )


def node_product(L: Any, x: Array) -> Array:
    """L along the axis of the nodes: x (samples, n, columns), or (n, columns).

    Arrays of other libraries than NumPy take the same sums from lists of neighbours, since the
    Array API has no sparse matrices.
    """
    if not isinstance(x, np.ndarray):
        return _gathered(L, x)
    if x.dtype != L.dtype and x.dtype.kind == "f":
        L = L.astype(x.dtype)
    return L @ x if x.ndim == 2 else by_columns(lambda v: L @ v, x)


def by_columns(function: Callable[[Array], Array], x: Array) -> Array:
    """A function of the columns (n, samples · columns) on x (samples, n, columns)."""
    nodes_first = np.moveaxis(x, 1, 0)
    y = function(nodes_first.reshape(len(nodes_first), -1))
    return np.moveaxis(y.reshape(-1, len(x), x.shape[2]), 0, 1)


def _gathered(L: Any, x: Array) -> Array:
    """Σ over the longest row of entry · x[neighbour], with zeros where rows are shorter."""
    xp, axis = array_namespace(x), x.ndim - 2
    starts, length = L.indptr[:-1], np.diff(L.indptr)
    total = 0 * x
    for place in range(int(length.max(initial=0))):
        there = place < length
        source = np.where(there, starts + place, 0)
        entry = np.where(there, L.data[source], 0.0)
        taken = xp.take(x, xp.asarray(L.indices[source]), axis=axis)
        total = total + xp.asarray(entry[:, None], dtype=x.dtype) * taken
    return total


def _power(d: Array, power: float) -> Array:
    """d^power, with 0 for 0."""
    return np.where(d > 0, np.where(d > 0, d, 1.0) ** power, 0.0)
