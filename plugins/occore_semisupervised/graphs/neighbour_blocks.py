"""Exact nearest neighbours in many dimensions, by blocks of matrix products.

All n²/2 distances are compared, but only along the leading principal axes, in single precision:

    ‖x_i − x_j‖² ≥ ‖z_i − z_j‖² + (ρ_i − ρ_j)²        z: m leading coordinates, ρ: norm of the rest

by the triangle inequality in the other axes. Pairs whose bound exceeds the squared distance τ to
the k-th of some candidates (from a k-d tree of a few leading coordinates) cannot be neighbours.
What is left is measured exactly, in double precision. No array is larger than a block of rows.
"""

from __future__ import annotations

import numpy as np

from occore import Array

TREE_AXES = 10
"""Leading coordinates of the k-d tree that finds candidates."""

BOUND_AXES = 128
"""Leading coordinates of the bound: more of them leave fewer pairs, but each costs a product."""

BLOCK = 2048
"""Rows and columns of a block of bounds: 16 MiB in single precision."""

PAIRS = 20_000
"""Pairs that are measured at a time."""

SLACK = 1e-4
"""Share of the squared norms that the bound may be off by: a thousand roundings of float32."""


def nearest_in_blocks(points: Array, k: int) -> tuple[Array, Array]:
    """The k nearest other points and their squared distances, both (n, k), nearest first.

    points: (n, d), with n > k.
    """
    rotated = _principal(points)
    tau = _candidate_distances(rotated, k)
    i, j = _close_pairs(rotated, tau)
    squares = _squared_distances(points, i, j)
    return _nearest_of_pairs(len(points), k, i, j, squares)


def _principal(points: Array) -> Array:
    """Coordinates in the principal axes, largest spread first, float32."""
    centred = (points - points.mean(axis=0)).astype(np.float32)
    _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    return centred @ axes[:, ::-1].astype(np.float32)


def _candidate_distances(x: Array, k: int) -> Array:
    """τ (n,): squared distance to the k-th nearest of some candidates, float32."""
    from scipy.spatial import cKDTree

    lead = x[:, :TREE_AXES]
    count = min(3 * k + 3, len(x))
    _, found = cKDTree(lead).query(lead, count)
    rows = np.repeat(np.arange(len(x)), count)
    squares = _squared_distances(x, rows, found.ravel()).reshape(len(x), count)
    squares[found == np.arange(len(x))[:, None]] = np.inf
    return np.partition(squares, k - 1, axis=1)[:, k - 1].astype(np.float32)


def _close_pairs(x: Array, tau: Array) -> tuple[Array, Array]:
    """Pairs i < j whose bound does not exceed τ of either."""
    z = x[:, :BOUND_AXES]
    if x.shape[1] > BOUND_AXES:
        rest = np.linalg.norm(x[:, BOUND_AXES:], axis=1, keepdims=True)
        z = np.concatenate([z, rest], axis=1)
    square = np.einsum("ij,ij->i", z, z)
    tau = tau + SLACK * (square.max() + tau)
    # one product gives the bounds: |z_i|² + |z_j|² − 2 z_i·z_j
    ones = np.ones_like(square)
    left = np.column_stack([-2 * z, square, ones])
    right = np.column_stack([z, ones, square])
    found: list[tuple[Array, Array]] = []
    for top in range(0, len(x), BLOCK):
        rows = slice(top, top + BLOCK)
        for start in range(top, len(x), BLOCK):
            columns = slice(start, start + BLOCK)
            bounds = left[rows] @ right[columns].T
            close = bounds <= tau[rows, None]
            close |= bounds <= tau[None, columns]
            flat = np.flatnonzero(close)
            i, j = top + flat // close.shape[1], start + flat % close.shape[1]
            found.append((i[i < j].astype(np.int32), j[i < j].astype(np.int32)))
    return np.concatenate([i for i, _ in found]), np.concatenate([j for _, j in found])


def _squared_distances(x: Array, i: Array, j: Array) -> Array:
    """‖x_i − x_j‖² of each pair."""
    squares = np.empty(len(i), x.dtype)
    for start in range(0, len(i), PAIRS):
        part = slice(start, start + PAIRS)
        difference = x[i[part]] - x[j[part]]
        squares[part] = np.einsum("pd,pd->p", difference, difference)
    return squares


def _nearest_of_pairs(n: int, k: int, i: Array, j: Array, squares: Array) -> tuple[Array, Array]:
    """The k nearest of each point among its pairs, of which it has at least k."""
    rows, others = np.concatenate([i, j]), np.concatenate([j, i])
    both = np.concatenate([squares, squares])
    order = np.lexsort((both, rows))
    first = np.searchsorted(rows[order], np.arange(n))
    chosen = order[first[:, None] + np.arange(k)]
    return others[chosen].astype(np.intp), both[chosen].astype(np.float64)
