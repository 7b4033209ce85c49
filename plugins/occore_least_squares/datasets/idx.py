"""IDX files, the format of MNIST and its successors: images in one file, labels in another.

[data]                                              # OCCORE_DATA names the folder of mnist/
kind = "idx"
inputs = "mnist/train-images-idx3-ubyte.gz"
labels = "mnist/train-labels-idx1-ubyte.gz"
samples = 10000
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from occore import Array, Data, DataError, Dataset, Example, InputError, resolve
from occore_least_squares.datasets.content import file_digest
from occore_least_squares.datasets.idx_format import read_idx
from occore_least_squares.datasets.supervised import numbers, one_hot_rows


@dataclass(frozen=True)
class Idx(Dataset):
    """Inputs (samples, entries) or (samples, …), one-hot targets (samples, classes).

    The classes are 0, 1, … up to the largest label of the whole file, so that they do not depend
    on how many samples are taken.
    """

    inputs: Annotated[
        str, Field(description="file of the inputs, within the case's folder or OCCORE_DATA")
    ]
    labels: Annotated[
        str | None, Field(description="file of the labels, bytes; no targets where not given")
    ] = None
    samples: Annotated[
        int | None, Field(gt=0, description="only so many from the start; all where not given")
    ] = None
    flatten: Annotated[
        bool, Field(description="one row of entries a sample; otherwise the shape in the file")
    ] = True
    sparse: Annotated[
        bool,
        Field(description="inputs as a sparse matrix, for a linear layer; needs flatten = true"),
    ] = False
    scale: Annotated[
        float | None,
        Field(
            gt=0,
            allow_inf_nan=False,
            description="multiplies the inputs; 1/255 for bytes and 1 otherwise, where not given",
        ),
    ] = None

    def __post_init__(self) -> None:
        if self.sparse and not self.flatten:
            raise InputError("sparse inputs have one row for each sample: set flatten = true")

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """The first samples, in the order of the file.

        Raises DataError for a damaged file and where the two do not belong together.
        """
        path = resolve(self.inputs, folders)
        stored, total = read_idx(path, self.samples)
        inputs = self._inputs(stored, f"{path}: the inputs")
        picture = stored.shape[1:] if self.flatten and stored.ndim == 3 else None
        if self.labels is None:
            return Data(inputs, digest=file_digest(path), picture=picture)
        labels_path = resolve(self.labels, folders)
        labels, count = read_idx(labels_path)
        if labels.dtype != np.uint8 or labels.ndim != 1:
            raise DataError(
                f"{labels_path}: the labels have the type {labels.dtype} and the shape "
                f"{labels.shape}; one byte for each sample is expected"
            )
        if count != total:
            raise DataError(
                f"{path} has {total} samples, but {labels_path} has {count} labels; name two "
                "files that belong together"
            )
        classes = int(labels.max()) + 1
        return Data(
            inputs,
            one_hot_rows(labels[: inputs.shape[0]], classes),
            tuple(str(k) for k in range(classes)),
            digest=file_digest(path, labels_path),
            picture=picture,
        )

    def _inputs(self, stored: Array, where: str) -> Any:
        """Scaled numbers, in the shape that is asked for."""
        scale = self.scale or (1 / 255 if stored.dtype == np.uint8 else 1.0)
        if self.sparse and stored.dtype == np.uint8:
            from scipy.sparse import csr_array

            return scale * csr_array(stored.reshape(len(stored), -1)).astype(np.float64)
        inputs = numbers(stored, where)
        inputs *= scale
        if not self.flatten:
            return inputs
        rows = inputs.reshape(len(inputs), -1)
        if not self.sparse:
            return rows
        from scipy.sparse import csr_array

        return csr_array(rows)

    @classmethod
    def example(cls) -> Example:
        """Two images of 2 × 2 pixels and their labels, written out."""
        return Example(
            cls(inputs="images", labels="labels"),
            value=(2, 4),
            files={
                "images": struct.pack(">4B3I", 0, 0, 8, 3, 2, 2, 2) + bytes(range(0, 80, 10)),
                "labels": struct.pack(">4BI", 0, 0, 8, 1, 2) + bytes([1, 0]),
            },
        )
