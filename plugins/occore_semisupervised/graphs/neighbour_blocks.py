"""Exact nearest neighbours in many dimensions, by blocks of matrix products.

All n²/2 distances are compared, but only along the leading principal axes, in single precision:

    ‖x_i − x_j‖² ≥ ‖z_i − z_j‖² + (ρ_i − ρ_j)²        z: m leading coordinates, ρ: norm of the rest

by the triangle inequality in the other axes. Pairs whose bound exceeds a limit τ, the squared
distance to the k-th of some candidates (from a k-d tree of a few leading coordinates), cannot be
neighbours. The points are numbered by falling τ, so that the τ of a pair is that of its first point
and a part of the product. What passes is bounded again along more axes, then measured along all of
them; limits fall to the k-th of what is found. The pairs that are left are measured exactly, in
double precision. Blocks of pairs are shared among threads, and no array is larger than a block or
the points.

Where distances in single precision are off by r, the k-th of those of a few points is at most r
below their k-th distance, and that of a neighbour at most another r above: so limits have room for
2 r.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from occore import Array, shard_pool
from occore_semisupervised.graphs.principal import principal_coordinates

TREE_AXES = 20
"""Leading coordinates of the k-d tree that finds candidates."""

TREE_ERROR = 2.0
"""Share by which the tree may miss the nearest: candidates need not be the best."""

COARSE_AXES = 128
"""Leading coordinates of the matrix product: more of them leave fewer pairs, but cost more."""

FINE_AXES = 256
"""Leading coordinates of the second bound."""

BLOCK = 1024
"""Rows and columns of a block of bounds: 4 MiB in single precision."""

ENTRIES = 2**18
"""Coordinates of pairs that are measured at a time: 2 MiB in double precision."""

MOST_THREADS = 4
"""More of them wait for the memory, and each needs some 10 MiB of it."""

MOST_PAIRS = 4
"""Pairs that are kept, over k times the points, before those that were overtaken are dropped."""

SLACK = 1e-4
"""Share of the largest squared norm that a bound may be off by: a thousand roundings of float32."""

ROUNDING = 1e-5
"""Share of the largest norm that a distance in float32 may be off by: a hundred roundings."""


def nearest_in_blocks(points: Array, k: int) -> tuple[Array, Array]:
    """The k nearest other points and their squared distances, both (n, k), nearest first.

    points: (n, d), with n > k.
    """
    rotated = principal_coordinates(points)
    room = 2 * ROUNDING * float(np.sqrt(np.max(np.einsum("ij,ij->i", rotated, rotated))))
    with shard_pool(MOST_THREADS) as pool:
        tau = _with_room(_candidates(rotated, k, pool), room)
        order = np.argsort(-tau, kind="stable")
        tau, found = tau[order], list[Pairs]()
        bounds = Bounds.of(rotated[order], tau)
        for top in range(0, len(points), BLOCK):
            close = partial(bounds.close, tau, slice(top, top + BLOCK))
            blocks = (slice(start, start + BLOCK) for start in range(top, len(points), BLOCK))
            found.extend(pool.map(close, blocks))
            if sum(len(pairs.i) for pairs in found) > MOST_PAIRS * k * len(points):
                pairs = Pairs.joined(found)
                tau = np.minimum(tau, _with_room(pairs.farthest(k, len(tau)), room))
                found = [pairs.within(tau)]
        pairs = Pairs.joined(found)
        tau = np.minimum(tau, _with_room(pairs.farthest(k, len(tau)), room))
        pairs = _measured(points, order, pairs.within(tau), pool)
    rows, others, squares = pairs.both_ways()
    chosen = np.searchsorted(rows, np.arange(len(points)))[:, None] + np.arange(k)
    return others[chosen].astype(np.intp), squares[chosen]


def _candidates(x: Array, k: int, pool: ThreadPoolExecutor) -> Array:
    """(n,): squared distance to the k-th nearest of some candidates."""
    from scipy.spatial import cKDTree

    lead = x[:, :TREE_AXES]
    count = min(3 * k + 3, len(x))
    _, found = cKDTree(lead).query(lead, count, eps=TREE_ERROR, workers=-1)

    def kth(top: int) -> Array:
        near = found[top : top + BLOCK]
        rows = np.arange(top, top + len(near))
        squares = _squared_distances(x, np.repeat(rows, count), near.ravel()).reshape(near.shape)
        squares[near == rows[:, None]] = np.inf
        return np.partition(squares, k - 1, axis=1)[:, k - 1]

    return np.concatenate(list(pool.map(kth, range(0, len(x), BLOCK))))


def _with_room(squares: Array, room: float) -> Array:
    """Squared distances, of distances that are so much larger."""
    return (np.sqrt(squares, dtype=float) + room) ** 2


def _measured(points: Array, order: Array, pairs: Pairs, pool: ThreadPoolExecutor) -> Pairs:
    """The pairs by the numbers of their points, with exact distances."""
    i, j = order[pairs.i], order[pairs.j]
    parts = [slice(start, start + BLOCK) for start in range(0, len(i), BLOCK)]
    squares = pool.map(lambda part: _squared_distances(points, i[part], j[part]), parts)
    return Pairs(i, j, np.concatenate(list(squares)))


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
        """(point, other, squared distance), sorted by point, then by distance, then by other."""
        rows, others = np.concatenate([self.i, self.j]), np.concatenate([self.j, self.i])
        squares = np.concatenate([self.squares, self.squares])
        order = np.lexsort((others, squares, rows))
        return rows[order], others[order], squares[order]

    def farthest(self, k: int, points: int) -> Array:
        """(points,): squared distance to the k-th nearest so far; ∞ where there are fewer.

        The bits of floats that are not negative are ordered as the floats, so that point and
        float32 distance make one integer: it sorts several times as fast as two keys.
        """
        bits = np.concatenate([self.squares, self.squares]).astype(np.float32).view(np.int32)
        keys = np.concatenate([self.i, self.j]).astype(np.int64) << 32 | bits
        keys.sort()
        starts = np.searchsorted(keys, np.arange(points + 1, dtype=np.int64) << 32)
        last = starts[:-1] + k - 1
        full = last < starts[1:]
        result = np.full(points, np.inf)
        result[full] = keys[last[full]].astype(np.int32).view(np.float32)
        return result


@dataclass(frozen=True)
class Bounds:
    """Lower bounds of squared distances, of points by falling τ.

    left, right: their product is ‖z_i − z_j‖² − τ_i along the coarse axes, off by the slack at
    most. fine: coordinates along the fine axes, and along all of them.
    """

    left: Array
    right: Array
    slack: float
    fine: tuple[Array, Array]

    @classmethod
    def of(cls, x: Array, tau: Array) -> Bounds:
        """Of points x (n, d) in principal axes, float32, and their τ (n,), falling."""
        z = _leading(x, COARSE_AXES)
        square = np.einsum("ij,ij->i", z, z)
        ones = np.ones_like(square)
        left = np.column_stack([-2 * z, square - tau.astype(np.float32), ones])
        right = np.column_stack([z, ones, square])
        return cls(left, right, SLACK * float(square.max()), (_leading(x, FINE_AXES), x))

    def close(self, tau: Array, rows: slice, columns: slice) -> Pairs:
        """Pairs i < j of a block that are not beyond τ of both points; τ (n,) may have fallen."""
        near = self.left[rows] @ self.right[columns].T <= self.slack
        flat = np.flatnonzero(near)
        width = near.shape[1]
        i = (rows.start + flat // width).astype(np.int32)
        j = (columns.start + flat % width).astype(np.int32)
        pairs = Pairs(i[i < j], j[i < j], np.empty(0))
        for x in self.fine:
            squares = _squared_distances(x, pairs.i, pairs.j)
            pairs = Pairs(pairs.i, pairs.j, squares).within(tau)
        return pairs


def _leading(x: Array, axes: int) -> Array:
    """The leading coordinates of x (n, d), and the norm of the rest as one more."""
    if x.shape[1] <= axes:
        return x
    rest = np.linalg.norm(x[:, axes:], axis=1, keepdims=True)
    return np.concatenate([x[:, :axes], rest], axis=1)


def _squared_distances(x: Array, i: Array, j: Array) -> Array:
    """‖x_i − x_j‖² of each pair."""
    squares, pairs = np.empty(len(i), x.dtype), max(1, ENTRIES // x.shape[1])
    for start in range(0, len(i), pairs):
        part = slice(start, start + pairs)
        difference = x[i[part]] - x[j[part]]
        squares[part] = np.einsum("pd,pd->p", difference, difference)
    return squares
