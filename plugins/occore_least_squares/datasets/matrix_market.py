"""Matrix Market files: sparse or dense matrices as text, the format of matrix collections.

[data]
kind = "matrix_market"
inputs = "well1850.mtx"
targets = "well1850_rhs1.mtx"

Boisvert, Pozo and Remington, The Matrix Market exchange formats, NISTIR 5935 (1996).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Array, Data, DataError, Dataset, Example, is_sparse, resolve
from occore_least_squares.datasets.content import file_digest
from occore_least_squares.datasets.sparse import check_lengths, sparse_data

LEAST_BYTES = {"coordinate": 4, "array": 2}
"""Characters that a stored entry takes at least: "1 1" or "1", and the end of the line."""


@dataclass(frozen=True)
class MatrixMarket(Dataset):
    """Inputs (samples, features) as a sparse array from one file, targets from another."""

    inputs: Annotated[
        str, Field(description="file of the matrix, within the case's folder or OCCORE_DATA")
    ]
    targets: Annotated[
        str | None, Field(description="file of the targets (samples, …); none where not given")
    ] = None

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All rows. Raises DataError for a damaged or hostile file."""
        from scipy.sparse import csr_array

        path, targets, digest = resolve(self.inputs, folders), None, ""
        A, where = csr_array(read_matrix(path)), (str(path), "")
        if self.targets is None:
            digest = file_digest(path)
        else:
            second = resolve(self.targets, folders)
            found = read_matrix(second)
            targets = found.toarray() if is_sparse(found) else found
            where, digest = (str(path), str(second)), file_digest(path, second)
        return sparse_data(A, targets, where, digest)

    @classmethod
    def example(cls) -> Example:
        """[[1, 0, 2], [0, 3, 0]] and two targets, written out."""
        matrix = b"%%MatrixMarket matrix coordinate real general\n2 3 3\n1 1 1\n1 3 2\n2 2 3\n"
        targets = b"%%MatrixMarket matrix array real general\n2 1\n4\n5\n"
        files = {"A.mtx": matrix, "b.mtx": targets}
        return Example(cls(inputs="A.mtx", targets="b.mtx"), value=(2, 3), files=files)


def read_matrix(path: Path) -> Array:
    """The matrix of a file, sparse where it is stored so. Raises DataError.

    What the file declares is checked before any memory is taken for it.
    """
    import scipy.io

    try:
        rows, columns, entries, form, field, _ = scipy.io.mminfo(path)
    except (ValueError, OverflowError, UnicodeDecodeError, OSError) as error:
        raise DataError(f"{path}: this is no sound Matrix Market file: {error}") from error
    if field == "complex":
        raise DataError(f"{path}: the entries are complex; real numbers are expected")
    check_lengths((rows, columns), path, str(path))
    if entries < 0 or LEAST_BYTES[form] * entries > 2 * path.stat().st_size:
        # twice, since a symmetric matrix is stored by half
        raise DataError(
            f"{path}: declares {entries} entries, which {path.stat().st_size} bytes of text cannot "
            "hold; it is damaged or hostile"
        )
    try:
        return scipy.io.mmread(path, spmatrix=False)
    except (ValueError, OverflowError, UnicodeDecodeError, OSError) as error:
        raise DataError(f"{path}: this is no sound Matrix Market file: {error}") from error
