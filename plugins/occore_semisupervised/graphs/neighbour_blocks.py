"""Exact nearest neighbours in many dimensions, by blocks of matrix products.

All n²/2 distances are compared, but only along the leading principal axes, in single precision:

    ‖x_i − x_j‖² ≥ ‖z_i − z_j‖² + (ρ_i − ρ_j)²        z: m leading coordinates, ρ: norm of the rest

by the triangle inequality in the other axes. Pairs whose bound exceeds the squared distance τ to
the k-th of some candidates (from a k-d tree of a few leading coordinates) cannot be neighbours.
What is left is measured exactly, in double precision. Blocks of pairs are shared among threads, and
no array is larger than a block or the points.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from occore import Array

TREE_AXES = 10
"""Leading coordinates of the k-d tree that finds candidates."""

BOUND_AXES = 256
"""Leading coordinates of the bound: more of them leave fewer pairs, but each costs a product."""

BLOCK = 1024
"""Rows and columns of a block of bounds: 4 MiB in single precision."""

ENTRIES = 2**17
"""Coordinates of pairs that are measured at a time: 1 MiB in double precision."""

MOST_THREADS = 4
"""More of them wait for the memory, and each needs some 10 MiB of it."""

MOST_PAIRS = 2
"""Pairs that are kept, over k times the points, before those that were overtaken are dropped."""

SLACK = 1e-4
"""Share of the largest squared norm that a bound may be off by: a thousand roundings of float32."""

ROUNDING = 1e-5
"""Share of the largest norm that a distance in float32 may be off by: a hundred roundings."""


def nearest_in_blocks(points: Array, k: int) -> tuple[Array, Array]:
    """The k nearest other points and their squared distances, both (n, k), nearest first.

    points: (n, d), with n > k.
    """
    rotated = _principal(points)
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as pool:
        tau = _candidate_distances(rotated, k, pool)
        bounds, found = Bounds.of(rotated), list[Pairs]()
        for top in range(0, len(points), BLOCK):
            close = partial(_close_pairs, points, bounds, tau, top)
            found.extend(pool.map(close, range(top, len(points), BLOCK)))
            if sum(len(pairs.i) for pairs in found) > MOST_PAIRS * k * len(points):
                pairs = Pairs.joined(found)
                tau = pairs.overtaken(k, tau)
                found = [pairs.within(tau)]
    rows, others, squares = Pairs.joined(found).both_ways()
    chosen = np.searchsorted(rows, np.arange(len(points)))[:, None] + np.arange(k)
    return others[chosen].astype(np.intp), squares[chosen]


def _close_pairs(points: Array, bounds: Bounds, tau: Array, top: int, start: int) -> Pairs:
    """The pairs of one block that may be neighbours."""
    i, j = bounds.close(slice(top, top + BLOCK), slice(start, start + BLOCK), tau)
    return Pairs(i, j, _squared_distances(points, i, j)).within(tau)


def _principal(points: Array) -> Array:
    """Coordinates in the principal axes, largest spread first, float32."""
    centred = (points - points.mean(axis=0)).astype(np.float32)
    _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    return centred @ axes[:, ::-1].astype(np.float32)


def _candidate_distances(x: Array, k: int, pool: ThreadPoolExecutor) -> Array:
    """τ (n,): not below the squared distance to the k-th nearest of some candidates."""
    from scipy.spatial import cKDTree

    lead = x[:, :TREE_AXES]
    count = min(3 * k + 3, len(x))
    _, found = cKDTree(lead).query(lead, count, workers=-1)

    def kth(top: int) -> Array:
        near = found[top : top + BLOCK]
        rows = np.arange(top, top + len(near))
        squares = _squared_distances(x, np.repeat(rows, count), near.ravel()).reshape(near.shape)
        squares[near == rows[:, None]] = np.inf
        return np.partition(squares, k - 1, axis=1)[:, k - 1]

    distance = np.sqrt(np.concatenate(list(pool.map(kth, range(0, len(x), BLOCK)))), dtype=float)
    return (distance + ROUNDING * np.sqrt(np.max(np.einsum("ij,ij->i", x, x)))) ** 2


@dataclass(frozen=True)
class Pairs:
    """Pairs i < j of points and their squared distances, each (pairs,)."""

    i: Array
    j: Array
    squares: Array

    @classmethod
    def joined(cls, parts: Sequence[Pairs]) -> Pairs:
        """All of them."""
        named = ([getattr(part, name) for part in parts] for name in ("i", "j", "squares"))
        return cls(*(np.concatenate(arrays) for arrays in named))

    def within(self, tau: Array) -> Pairs:
        """Those that are not beyond τ of both points."""
        near = self.squares <= np.maximum(tau[self.i], tau[self.j])
        return Pairs(self.i[near], self.j[near], self.squares[near])

    def both_ways(self) -> tuple[Array, Array, Array]:
        """(point, other, squared distance), sorted by point, then by distance."""
        rows, others = np.concatenate([self.i, self.j]), np.concatenate([self.j, self.i])
        squares = np.concatenate([self.squares, self.squares])
        order = np.lexsort((squares, rows))
        return rows[order], others[order], squares[order]

    def overtaken(self, k: int, tau: Array) -> Array:
        """τ, or the squared distance to the k-th nearest so far where that is smaller."""
        rows, _, squares = self.both_ways()
        last = np.arange(len(rows)) - np.searchsorted(rows, np.arange(len(tau)))[rows] == k - 1
        tau = tau.copy()
        tau[rows[last]] = np.minimum(tau[rows[last]], squares[last])
        return tau


@dataclass(frozen=True)
class Bounds:
    """Lower bounds of squared distances: |z_i|² + |z_j|² − 2 z_i·z_j as one matrix product."""

    left: Array
    right: Array
    slack: float

    @classmethod
    def of(cls, x: Array) -> Bounds:
        """Along the leading axes of x (n, d); the norm of the rest is one axis more."""
        z = x[:, :BOUND_AXES]
        if x.shape[1] > BOUND_AXES:
            rest = np.linalg.norm(x[:, BOUND_AXES:], axis=1, keepdims=True)
            z = np.concatenate([z, rest], axis=1)
        square = np.einsum("ij,ij->i", z, z)
        ones = np.ones_like(square)
        left, right = np.column_stack([-2 * z, square, ones]), np.column_stack([z, ones, square])
        return cls(left, right, SLACK * float(square.max()))

    def close(self, rows: slice, columns: slice, tau: Array) -> tuple[Array, Array]:
        """Pairs i < j of a block whose bound does not exceed τ of either."""
        bounds = self.left[rows] @ self.right[columns].T
        tau = (tau + self.slack).astype(np.float32)
        near = bounds <= tau[rows, None]
        near |= bounds <= tau[None, columns]
        flat = np.flatnonzero(near)
        width = near.shape[1]
        i = (rows.start + flat // width).astype(np.int32)
        j = (columns.start + flat % width).astype(np.int32)
        return i[i < j], j[i < j]


def _squared_distances(x: Array, i: Array, j: Array) -> Array:
    """‖x_i − x_j‖² of each pair."""
    squares, pairs = np.empty(len(i), x.dtype), max(1, ENTRIES // x.shape[1])
    for start in range(0, len(i), pairs):
        part = slice(start, start + pairs)
        difference = x[i[part]] - x[j[part]]
        squares[part] = np.einsum("pd,pd->p", difference, difference)
    return squares
