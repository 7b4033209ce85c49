"""Eigensolvers for the smallest eigenpairs of symmetric graph Laplacians.

    smallest_eigenpairs(L, count, method, rng)

Each method is a function in the file of its name; all give `Eigenpairs`, with a residual norm for
each. `dense` is for small graphs; `lanczos` factorises once; `inverse_iteration` is the method of
the course; `lobpcg` and `randomised` need products only.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from occore_semisupervised.eigen.dense import dense
from occore_semisupervised.eigen.eigenpairs import Eigenpairs, largest_angle
from occore_semisupervised.eigen.inverse_iteration import inverse_iteration
from occore_semisupervised.eigen.lanczos import lanczos
from occore_semisupervised.eigen.lobpcg import lobpcg
from occore_semisupervised.eigen.randomised import randomised

__all__ = ["METHODS", "Eigenpairs", "Method", "largest_angle", "smallest_eigenpairs"]

Method = Literal["lanczos", "dense", "inverse_iteration", "lobpcg", "lobpcg_amg", "randomised"]

METHODS = {
    "lanczos": lanczos,
    "dense": dense,
    "inverse_iteration": inverse_iteration,
    "lobpcg": lobpcg,
    "lobpcg_amg": lambda L, count, rng: lobpcg(L, count, rng, "amg"),
    "randomised": randomised,
}


def smallest_eigenpairs(L: Any, count: int, method: Method, rng: np.random.Generator) -> Eigenpairs:
    """The smallest `count` eigenpairs of a symmetric graph Laplacian (n, n), by a method's name."""
    return METHODS[method](L, count, rng)
