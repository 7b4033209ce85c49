"""All of the matrix at once: LAPACK's symmetric eigensolver, for small graphs."""

from __future__ import annotations

from typing import Any

import numpy as np

from occore import InputError
from occore_semisupervised.eigen.eigenpairs import Eigenpairs, require_count

MOST_NODES = 4000
"""128 MB of a dense matrix."""


def dense(L: Any, count: int, rng: np.random.Generator) -> Eigenpairs:
    """The smallest `count` eigenpairs of a symmetric matrix (n, n).

    Raises InputError beyond MOST_NODES rows.
    """
    import scipy.linalg

    require_count(L, count)
    n = L.shape[0]
    if n > MOST_NODES:
        raise InputError(
            f"a dense eigensolver is for at most {MOST_NODES} nodes; this graph has {n}: take "
            "lanczos or lobpcg"
        )
    _, vectors = scipy.linalg.eigh(L.toarray(), subset_by_index=(0, count - 1))
    return Eigenpairs.of(L, vectors)
