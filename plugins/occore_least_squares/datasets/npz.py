"""NPZ files: named NumPy arrays in a zip archive, as `numpy.savez` writes them."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Array, Data, DataError, Dataset, Example, resolve
from occore_least_squares.datasets.content import byte_limit, file_digest, shown, too_large, unknown
from occore_least_squares.datasets.npy_header import read_header
from occore_least_squares.datasets.supervised import Task, supervised

UNSOUND = (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, zlib.error)
"""How the reading of an archive ends where it is damaged: it depends on the place."""


@dataclass(frozen=True)
class Npz(Dataset):
    """Inputs (samples, …) and targets (samples, …) from two arrays of an .npz file.

    Arrays of Python objects are refused: to read them means to run what the file says.
    """

    path: Annotated[str, Field(description="the file, within the case's folder or OCCORE_DATA")]
    inputs: Annotated[str, Field(description="name of the array of inputs, (samples, …)")]
    targets: Annotated[
        str | None,
        Field(description="name of the array of targets, (samples, …); none where not given"),
    ] = None
    task: Annotated[
        Task | None,
        Field(description="classification makes whole numbers classes, as texts always are"),
    ] = None

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All samples, in the order of the arrays.

        Raises DataError for a damaged or hostile file, with the nearest name for an array that is
        not there, and for arrays that do not fit together.
        """
        path = resolve(self.path, folders)
        try:
            with zipfile.ZipFile(path) as archive:
                inputs = member(archive, path, self.inputs)
                targets = None if self.targets is None else member(archive, path, self.targets)
        except UNSOUND as error:
            raise DataError(
                f"{path}: this is no sound .npz file: {error}; write it with numpy.savez"
            ) from error
        names = (self.inputs, self.targets or "")
        where = tuple(f"{path}: the array {shown(name)}" for name in names)
        return supervised(inputs, targets, self.task, where, file_digest(path))

    @classmethod
    def example(cls) -> Example:
        """Three samples of one feature, written out."""
        content = BytesIO()
        np.savez(content, x=np.array([[1.0], [2.0], [4.0]]), y=np.array([1.0, 3.0, 7.0]))
        return Example(
            cls(path="line.npz", inputs="x", targets="y"),
            value=(3, 1),
            files={"line.npz": content.getvalue()},
        )


def member(archive: zipfile.ZipFile, path: Path, name: str) -> Array:
    """One array; no other member is opened."""
    known = [entry[:-4] for entry in archive.namelist() if entry.endswith(".npy")]
    if name not in known:
        raise DataError(f"{path}: {unknown('array', name, known)}")
    where = f"{path}: the array {shown(name)}"
    info = archive.getinfo(f"{name}.npy")
    if info.flag_bits & 1:
        raise DataError(f"{where} is encrypted; write it without a password")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{where} has an unknown compression; write it with numpy.savez_compressed")
    with archive.open(info) as stream:
        header = read_header(stream, where)
        if header.size > byte_limit(path):
            raise DataError(too_large(where, header.size, path))
        content = stream.read(header.size)
        if len(content) != header.size or stream.read(1):
            raise DataError(
                f"{where} has the shape {header.shape} and the type {header.dtype}, which take "
                f"{header.size} bytes, but holds more or fewer; write it again"
            )
    order = "F" if header.fortran_order else "C"
    return np.ndarray(header.shape, header.dtype, content, order=order)
