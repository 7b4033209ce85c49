"""Arrays of any library: the namespace of an argument, and pytrees of two levels made flat.

Model code asks its arguments for their namespace (the Array API standard) and so runs on NumPy, on
other array libraries, and on the symbolic arrays of `occore.symbolic`.
"""

from typing import Any

import numpy as np

Array = Any
"""An array of any library that follows the Array API standard."""

Controls = dict[str, Array]
"""Named arrays: the controls at one instant, or their coefficients in one phase."""


def array_namespace(*arrays: Array) -> Any:
    """The Array API namespace that all array arguments share; Python scalars are ignored."""
    for array in arrays:
        if not isinstance(array, (np.ndarray, np.generic, int, float, complex)):
            import array_api_compat

            return array_api_compat.array_namespace(*arrays)
    return np


def is_sparse(a: Array) -> bool:
    """Whether this is one of SciPy's sparse arrays, as the inputs of a problem may be."""
    return hasattr(a, "tocsr")


def joined(a: Array, b: Array) -> Array:
    """The samples of a and then those of b; both may be sparse."""
    if is_sparse(a) or is_sparse(b):
        import scipy.sparse

        return scipy.sparse.vstack((a, b), format="csr")
    return array_namespace(a).concat([a, b], axis=0)


def dot(a: Controls, b: Controls) -> Any:
    """Inner product of two dictionaries of arrays with the same names."""
    total = 0.0
    for name, value in a.items():
        xp = array_namespace(value)
        total = total + xp.sum(value * b[name])
    return total


def norm(a: Array) -> float:
    """Euclidean norm of all entries of an array."""
    xp = array_namespace(a)
    return float(xp.sqrt(xp.sum(a * a)))


def scaled(factor: float, a: Array) -> Array:
    """factor · a, which is a itself for one: arrays of a million entries are not copied for it."""
    return a if factor == 1 else factor * a
