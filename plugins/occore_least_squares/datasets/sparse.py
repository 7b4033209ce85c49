"""What the loaders of sparse matrices share: checks, and data with sparse inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from occore import Array, Data, DataError
from occore_least_squares.datasets.content import byte_limit
from occore_least_squares.datasets.supervised import numbers


def sparse_data(A: Array, targets: Array | None, where: tuple[str, str], digest: str) -> Data:
    """Data with the rows of A as inputs: a SciPy CSR array of float64.

    A: a SciPy sparse array (samples, features) whose format has been checked. targets: (samples, …)
    or None. where: how messages name the two. Raises DataError for numbers that are not finite or
    not real, and for different numbers of samples.
    """
    numbers(A.data if A.nnz else np.zeros(1), f"{where[0]}: the stored entries")
    inputs = A.tocsr().astype(np.float64)
    if 0 in inputs.shape:
        raise DataError(f"{where[0]} has the shape {inputs.shape}; it holds no samples")
    if targets is None:
        return Data(inputs, digest=digest)
    if targets.shape[:1] != inputs.shape[:1]:
        raise DataError(
            f"{where[1]} has shape {targets.shape}, but {where[0]} has {inputs.shape[0]} rows; the "
            "first axis of both counts the samples"
        )
    return Data(inputs, numbers(targets, where[1]), digest=digest)


def check_lengths(shape: tuple[int, ...], path: Path, where: str) -> None:
    """Raise DataError for lengths that such a file is not trusted to have: an array goes with each.

    A line of text can declare a matrix whose row pointers alone would take terabytes.
    """
    if any(n < 0 or 8 * n > byte_limit(path) for n in shape):
        raise DataError(
            f"{where} declares the shape {shape}, for a file of {path.stat().st_size} bytes; it is "
            "damaged or hostile"
        )
