"""Spectral clustering: k-means on the rows of the smallest eigenvectors of a Laplacian.

    V (n, k): smallest eigenvectors of D^(−1/2) L D^(−1/2),    y_i = v_i / ‖v_i‖,    k-means on y

Ng, Jordan and Weiss, On spectral clustering: analysis and an algorithm (2002). Without the step y
the points of a cluster lie on a ray, not at a point: on the digits that costs nine points of a
hundred. The slide of the course leaves it out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from occore import Array
from occore_semisupervised.eigen import Eigenpairs, Method, smallest_eigenpairs

MOST_ITERATIONS = 300


def spectral_clusters(
    L: Any,
    count: int,
    rng: np.random.Generator,
    *,
    normalise_rows: bool = True,
    method: Method = "lanczos",
    restarts: int = 100,
) -> tuple[Array, Eigenpairs]:
    """The cluster of each node (n,), numbered as they are met, and the eigenpairs behind them.

    L: a symmetric Laplacian (n, n). restarts: of k-means; the best of them counts.
    """
    pairs = smallest_eigenpairs(L, count, method, rng)
    rows = unit_rows(pairs.vectors) if normalise_rows else pairs.vectors
    return _as_met(kmeans(rows, count, rng, restarts)), pairs


def _as_met(labels: Array) -> Array:
    """The same clusters, the one of the first node first."""
    _, first, place = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[place]


def unit_rows(V: Array) -> Array:
    """The rows divided by their norms; rows of zeros stay."""
    size = np.linalg.norm(V, axis=1, keepdims=True)
    return V / np.where(size > 0, size, 1.0)


def kmeans(points: Array, count: int, rng: np.random.Generator, restarts: int) -> Array:
    """Labels (n,) of the best of some k-means runs, by the sum of squared distances.

    points: (n, d). Lloyd's iteration from the seeds of Arthur and Vassilvitskii, k-means++ (2007).
    """
    runs = [_lloyd(points, _seeds(points, count, rng)) for _ in range(restarts)]
    return min(runs, key=lambda run: run[1])[0]


def _seeds(points: Array, count: int, rng: np.random.Generator) -> Array:
    """Greedy k-means++: further centres are drawn with probabilities like squared distances.

    Of a few that are drawn the one counts that leaves the smallest sum of squared distances.
    """
    centres = [points[rng.integers(len(points))]]
    nearest = np.sum((points - centres[0]) ** 2, axis=1)
    trials = 2 + int(np.log(count))
    for _ in range(count - 1):
        total = nearest.sum()
        share = nearest / total if total > 0 else np.full(len(points), 1 / len(points))
        drawn = points[rng.choice(len(points), trials, p=share)]
        left = np.minimum(nearest, _squares(drawn, points))
        best = int(np.argmin(left.sum(axis=1)))
        centres.append(drawn[best])
        nearest = left[best]
    return np.array(centres)


def _squares(a: Array, b: Array) -> Array:
    """Squared distances (len(a), len(b)), not below zero."""
    squares = np.sum(a**2, axis=1)[:, None] + np.sum(b**2, axis=1) - 2 * a @ b.T
    return np.maximum(squares, 0.0)


def _lloyd(points: Array, centres: Array) -> tuple[Array, float]:
    """Labels (n,) and the sum of squared distances, when no label changes any more."""
    labels = np.full(len(points), -1)
    for _ in range(MOST_ITERATIONS):
        new = np.argmin(_squares(points, centres), axis=1)
        if np.array_equal(new, labels):
            break
        labels = new
        for k in np.unique(labels):  # a cluster that lost all its points keeps its centre
            centres[k] = points[labels == k].mean(axis=0)
    cost = float(np.sum((points - centres[labels]) ** 2))
    return labels, cost
