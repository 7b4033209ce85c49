"""Sparse matrices in NPZ files, as `scipy.sparse.save_npz` writes them, with targets if you like.

numpy.savez(path, format=b"csr", shape=A.shape, data=A.data, indices=A.indices, indptr=A.indptr,
            b=targets)                                                 # for a CSR array A
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Array, Data, DataError, Dataset, Example, resolve
from occore_least_squares.datasets.content import file_digest, shown
from occore_least_squares.datasets.npz import UNSOUND, member
from occore_least_squares.datasets.sparse import check_lengths, sparse_data


@dataclass(frozen=True)
class SparseNpz(Dataset):
    """Inputs (samples, features) as a CSR array, targets (samples, …) from the same file."""

    path: Annotated[str, Field(description="the file, within the case's folder or OCCORE_DATA")]
    targets: Annotated[
        str | None,
        Field(description="name of the array of targets, (samples, …); none where not given"),
    ] = None

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All samples. Raises DataError for a damaged or hostile file, and for other formats."""
        path = resolve(self.path, folders)
        try:
            with zipfile.ZipFile(path) as archive:
                names = ("format", "shape", "data", "indices", "indptr")
                parts = {name: member(archive, path, name) for name in names}
                targets = None if self.targets is None else member(archive, path, self.targets)
        except UNSOUND as error:
            raise DataError(
                f"{path}: this is no sound .npz file: {error}; write it with scipy.sparse.save_npz"
            ) from error
        where = f"{path}: the array {shown(self.targets or '')}"
        return sparse_data(_matrix(parts, path), targets, (str(path), where), file_digest(path))

    @classmethod
    def example(cls) -> Example:
        """[[1, 0, 2], [0, 3, 0]] and two targets, written out."""
        content = BytesIO()
        np.savez(
            content,
            format=np.array(b"csr"),
            shape=np.array([2, 3]),
            data=np.array([1.0, 2.0, 3.0]),
            indices=np.array([0, 2, 1]),
            indptr=np.array([0, 2, 3]),
            b=np.array([4.0, 5.0]),
        )
        files = {"system.npz": content.getvalue()}
        return Example(cls(path="system.npz", targets="b"), value=(2, 3), files=files)


def _matrix(parts: dict[str, Array], path: Path) -> Array:
    """The CSR array, with every index checked. Raises DataError."""
    from scipy.sparse import csr_array

    name = parts["format"]
    if name.ndim != 0 or name.dtype.kind not in "SU" or str(name.astype(str)) != "csr":
        raise DataError(f"{path}: the format is not 'csr'; store A.tocsr()")
    lengths, kinds = parts["shape"], [parts[n].dtype.kind for n in ("shape", "indices", "indptr")]
    if lengths.shape != (2,) or not set(kinds) <= {"i", "u"}:
        raise DataError(f"{path}: shape, indices and indptr must be whole numbers; write it again")
    shape = (int(lengths[0]), int(lengths[1]))
    check_lengths(shape, path, str(path))
    try:
        A = csr_array((parts["data"], parts["indices"], parts["indptr"]), shape=shape)
        A.check_format(full_check=True)
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(f"{path}: no sound CSR array: {error}") from error
    return A
