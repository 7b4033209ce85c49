"""Edges of a graph of points, each once, with the squared distance of its ends.

    knn          i is one of the k nearest neighbours of j, or j of i (union)
    mutual_knn   both
    epsilon      ‖x_i − x_j‖ ≤ ε
    full         all pairs

von Luxburg, A tutorial on spectral clustering, Statistics and Computing 17 (2007), section 2.2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from occore import Array, InputError
from occore_semisupervised.graphs.neighbours import nearest

EdgeKind = Literal["knn", "mutual_knn", "epsilon", "full"]

MOST_EDGES = 20_000_000
"""More than that would take gigabytes."""


@dataclass(frozen=True)
class Edges:
    """i < j, (edges,), sorted; D: squared distances (edges,), perhaps scaled."""

    nodes: int
    i: Array
    j: Array
    D: Array

    def locally_scaled(self, k: int) -> Edges:
        """D_ij / (s_i s_j), with s_i the distance of node i to its k-th nearest along edges.

        Zelnik-Manor and Perona, Self-tuning spectral clustering (2004). A node with fewer edges
        takes its farthest, and one that coincides with its neighbours the mean of all.
        """
        ends, squares = np.concatenate([self.i, self.j]), np.concatenate([self.D, self.D])
        order = np.lexsort((squares, ends))
        count = np.bincount(ends, minlength=self.nodes)
        last = np.cumsum(count) - 1
        place = np.minimum(last, last - count + k)
        scale = np.zeros(self.nodes)
        scale[count > 0] = np.sqrt(squares[order][place[count > 0]])
        mean = np.mean(scale[scale > 0]) if np.any(scale > 0) else 1.0
        scale[scale == 0] = mean
        return replace(self, D=self.D / (scale[self.i] * scale[self.j]))


def edges_of(points: Array, kind: EdgeKind, k: int, radius: float | None) -> Edges:
    """The edges of a point cloud (n, d).

    k: neighbours, for "knn" and "mutual_knn". radius: ε. Raises InputError where the radius is
    missing, and where there would be more than MOST_EDGES edges.
    """
    if kind == "full":
        return _full(points)
    if kind == "epsilon":
        if radius is None:
            raise InputError('edges = "epsilon" needs the radius: give radius')
        return _within(points, radius)
    found, squares = nearest(points, k)
    n = len(points)
    rows = np.repeat(np.arange(n), k)
    i, j = np.minimum(rows, found.ravel()), np.maximum(rows, found.ravel())
    keys, first, count = np.unique(i * n + j, return_index=True, return_counts=True)
    if kind == "mutual_knn":
        keys, first = keys[count == 2], first[count == 2]
    return Edges(n, keys // n, keys % n, squares.ravel()[first])


def _within(points: Array, radius: float) -> Edges:
    from scipy.spatial import cKDTree

    tree = cKDTree(points)
    _refuse((tree.count_neighbors(tree, radius) - len(points)) // 2, "a smaller radius")
    pairs = tree.query_pairs(radius, output_type="ndarray")
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    difference = points[pairs[:, 0]] - points[pairs[:, 1]]
    return Edges(len(points), pairs[:, 0], pairs[:, 1], np.sum(difference**2, axis=1))


def _full(points: Array) -> Edges:
    from scipy.spatial.distance import pdist

    n = len(points)
    _refuse(n * (n - 1) // 2, 'edges = "knn"')
    i, j = np.triu_indices(n, 1)
    return Edges(n, i, j, pdist(points, "sqeuclidean"))


def _refuse(count: int, remedy: str) -> None:
    if count > MOST_EDGES:
        raise InputError(f"the graph would have {count:,} edges, too many to store; take {remedy}")
