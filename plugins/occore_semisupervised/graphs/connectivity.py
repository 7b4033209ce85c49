"""What the smallest eigenvalues say of a graph: its components and its Fiedler vector.

The multiplicity of the eigenvalue 0 of a Laplacian is the number of connected components. Of a
connected graph the second eigenvalue is the algebraic connectivity, and the signs of its
eigenvector cut the graph in two. Fiedler, Czechoslovak Math. J. 23 (1973), 298–305.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from occore import Array
from occore_semisupervised.eigen.lanczos import lanczos


def components(matrix: Any) -> Array:
    """(n,): the number of the component of each node; matrix: weights or Laplacian (n, n)."""
    import scipy.sparse.csgraph

    return scipy.sparse.csgraph.connected_components(matrix, directed=False)[1]


def component_count(matrix: Any) -> int:
    """Number of connected components."""
    return int(components(matrix).max(initial=-1)) + 1


def fiedler(L: Any, rng: np.random.Generator) -> tuple[float, Array]:
    """The second smallest eigenvalue of a symmetric Laplacian and its eigenvector (n,)."""
    pairs = lanczos(L, 2, rng)
    return float(pairs.values[1]), pairs.vectors[:, 1]
