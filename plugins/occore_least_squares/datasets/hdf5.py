"""HDF5 files: named datasets, as h5py and most scientific programs write them."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Data, Dataset, Example, resolve
from occore_least_squares.datasets.content import file_digest, shown
from occore_least_squares.datasets.supervised import Task, supervised


@dataclass(frozen=True)
class Hdf5(Dataset):
    """Inputs (samples, …) and targets (samples, …) from two datasets of an HDF5 file.

    Nothing outside the file is opened: only hard links are followed, and datasets that keep their
    content in another file are refused.
    """

    path: Annotated[str, Field(description="the file, within the case's folder or OCCORE_DATA")]
    inputs: Annotated[
        str, Field(description='the dataset of inputs, (samples, …), as "x" or "group/x"')
    ]
    targets: Annotated[
        str | None,
        Field(description="the dataset of targets, (samples, …); none where not given"),
    ] = None
    task: Annotated[
        Task | None,
        Field(description="classification makes whole numbers classes, as texts always are"),
    ] = None

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All samples, in the order of the datasets.

        Raises DataError for a damaged or hostile file, with the nearest name for a dataset that
        is not there, and for datasets that do not fit together.
        """
        from occore_least_squares.datasets.hdf5_arrays import read_arrays

        path = resolve(self.path, folders)
        names = (self.inputs,) if self.targets is None else (self.inputs, self.targets)
        inputs, *rest = read_arrays(path, names)
        where = tuple(f"{path}: the dataset {shown(name)}" for name in names)
        targets = rest[0] if rest else None
        return supervised(inputs, targets, self.task, where, file_digest(path))

    @classmethod
    def example(cls) -> Example:
        """Three samples of one feature, written out."""
        import h5py

        content = BytesIO()
        with h5py.File(content, "w") as file:
            file["x"] = np.array([[1.0], [2.0], [4.0]])
            file["y"] = np.array([1.0, 3.0, 7.0])
        return Example(
            cls(path="line.h5", inputs="x", targets="y"),
            value=(3, 1),
            files={"line.h5": content.getvalue()},
        )
