"""The k nearest neighbours of every point among the others."""

from __future__ import annotations

import numpy as np

from occore import Array, InputError
from occore_semisupervised.graphs.neighbour_blocks import nearest_in_blocks

TREE_DIMENSIONS = 15
"""Up to so many coordinates a k-d tree is faster than all distances."""


def nearest(points: Array, k: int) -> tuple[Array, Array]:
    """The k nearest other points and their squared distances, both (n, k), nearest first.

    points: (n, d). Of equal points each may be the other's neighbour, none is its own.
    Raises InputError where there are not more than k points.
    """
    n, d = points.shape
    if n <= k:
        raise InputError(f"{k} neighbours of each point need more than {k} points; there are {n}")
    return _in_tree(points, k) if d <= TREE_DIMENSIONS else nearest_in_blocks(points, k)


def _in_tree(points: Array, k: int) -> tuple[Array, Array]:
    from scipy.spatial import cKDTree

    distances, found = cKDTree(points).query(points, k + 1, workers=-1)
    return without_self(found, distances**2)


def without_self(found: Array, squares: Array) -> tuple[Array, Array]:
    """(n, k) out of (n, k + 1): without the point itself, or the last where copies hide it."""
    own = found == np.arange(len(found))[:, None]
    own[~own.any(axis=1), -1] = True
    shape = (len(found), found.shape[1] - 1)
    return found[~own].reshape(shape), squares[~own].reshape(shape)
