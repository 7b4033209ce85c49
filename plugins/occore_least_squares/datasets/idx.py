"""IDX files, the format of MNIST and its successors: images in one file, labels in another.

[data]                                              # OCCORE_DATA names the folder of mnist/
kind = "idx"
inputs = "mnist/train-images-idx3-ubyte.gz"
labels = "mnist/train-labels-idx1-ubyte.gz"
samples = 10000
held_out_inputs = "mnist/t10k-images-idx3-ubyte.gz"  # the test set, in place of a share of these
held_out_labels = "mnist/t10k-labels-idx1-ubyte.gz"
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
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

    The classes are 0, 1, … up to the largest label of the whole files, so that they do not depend
    on how many samples are taken.
    """

    inputs: Annotated[
        str, Field(description="file of the inputs, within the case's folder or OCCORE_DATA")
    ]
    labels: Annotated[
        str | None, Field(description="file of the labels, bytes; no targets where not given")
    ] = None
    held_out_inputs: Annotated[
        str | None,
        Field(description="file of the inputs of a test set, which are the held-out samples then"),
    ] = None
    held_out_labels: Annotated[str | None, Field(description="file of their labels")] = None
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
        labelled = self.labels is not None and self.held_out_inputs is not None
        if (self.held_out_labels is not None) != labelled:
            raise InputError(
                "a test set has labels where the training samples have some: name its files "
                "held_out_inputs and held_out_labels, beside inputs and labels"
            )

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """The first samples, in the order of the file, and all those of a test set as `held_out`.

        Raises DataError for a damaged file and where files do not belong together.
        """
        names = self.inputs, self.labels, self.held_out_inputs, self.held_out_labels
        paths = [None if name is None else resolve(name, folders) for name in names]
        labels = [None if path is None else _labels(path) for path in paths[1::2]]
        classes = 1 + max((int(found.max()) for found in labels if found is not None), default=-1)
        parts = [
            self._part(path, labels_path, found, classes, samples)
            for path, labels_path, found, samples in zip(
                paths[::2], paths[1::2], labels, (self.samples, None), strict=True
            )
            if path is not None
        ]
        digest = file_digest(*(path for path in paths if path is not None))
        train, test = parts[0], parts[1] if parts[1:] else None
        if test is not None and test.inputs.shape[1:] != train.inputs.shape[1:]:
            raise DataError(
                f"{paths[2]} has inputs of the shape {test.inputs.shape[1:]}, but {paths[0]} of "
                f"{train.inputs.shape[1:]}; name files that belong together"
            )
        return replace(train, digest=digest, held_out=test)

    def _part(
        self,
        path: Path,
        labels_path: Path | None,
        labels: Array | None,
        classes: int,
        samples: int | None,
    ) -> Data:
        """The first samples of one file of inputs, with their labels."""
        stored, total = read_idx(path, samples)
        inputs = self._inputs(stored, f"{path}: the inputs")
        picture = stored.shape[1:] if self.flatten and stored.ndim == 3 else None
        if labels is None:
            return Data(inputs, picture=picture)
        if len(labels) != total:
            raise DataError(
                f"{path} has {total} samples, but {labels_path} has {len(labels)} labels; name two "
                "files that belong together"
            )
        return Data(
            inputs,
            one_hot_rows(labels[: inputs.shape[0]], classes),
            tuple(str(k) for k in range(classes)),
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


def _labels(path: Path) -> Array:
    """The labels in a file, bytes (samples,)."""
    labels, _ = read_idx(path)
    if labels.dtype != np.uint8 or labels.ndim != 1:
        raise DataError(
            f"{path}: the labels have the type {labels.dtype} and the shape {labels.shape}; one "
            "byte for each sample is expected"
        )
    return labels
