"""The pictures of another data set with other numbers of pixels, maybe in a larger field.

    [data]
    kind = "resampled"
    side = 16
    field = 28
    source = { kind = "idx", inputs = "mnist/…", labels = "mnist/…", samples = 9298 }

    Y = R X Cᵀ,    R_ij the share of row i of Y that row j of X covers, C the same for columns

A pixel of Y is the mean of X over its area, exactly, so that means of pictures are kept. With
`fit`, Y covers the smallest square around the ink of each picture, the pixels that are not 0, so
that the ink fills it along its longer side, and the aspect is kept. The field is background, with Y
in its middle. Values 0 to 1 of the source become `low` to `high`.

LeCun et al. (1989, 1990) had digits of zip codes, made to fit into 16 × 16 pixels by a linear map
that keeps the aspect, in 1990 in a field of 28 × 28. Those are not at hand; MNIST resampled to
16 × 16 stands in for them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Array, Data, DataError, Dataset, Example, InputError, is_sparse
from occore_least_squares.datasets.digits import Digits

BLOCK = 1000
"""Pictures that are resampled at once, for the memory of their maps."""


def shares(edges: Array, pixels: int) -> Array:
    """R (…, side, pixels): which share of each new pixel each old one covers, along one axis.

    edges: (…, side + 1), where the new pixels begin and end, in old ones.
    """
    begins = np.maximum(edges[..., :-1, None], np.arange(pixels))
    ends = np.minimum(edges[..., 1:, None], np.arange(1, pixels + 1))
    return np.maximum(ends - begins, 0) / np.diff(edges)[..., None]


def extent(ink: Array) -> tuple[Array, Array]:
    """Where the True entries of each row (samples, pixels) begin and end; all of an empty row."""
    begins = np.argmax(ink, axis=1)
    ends = ink.shape[1] - np.argmax(ink[:, ::-1], axis=1)
    return begins, ends


@dataclass(frozen=True)
class Resampled(Dataset):
    """Square pictures: inputs (samples, side²) or (samples, field²); targets of the source."""

    source: Annotated[Dataset, Field(description="the data set whose pictures are resampled")]
    side: Annotated[int, Field(gt=0, description="pixels along each side")] = 16
    fit: Annotated[
        bool, Field(description="the ink of each picture fills the side; its aspect is kept")
    ] = False
    field: Annotated[
        int | None, Field(gt=0, description="pixels along each side with the background around")
    ] = None
    low: Annotated[float, Field(allow_inf_nan=False, description="what 0 becomes")] = 0.0
    high: Annotated[float, Field(allow_inf_nan=False, description="what 1 becomes")] = 1.0

    def __post_init__(self) -> None:
        if self.field is not None and self.field < self.side:
            raise InputError(f"a field of {self.field} pixels is smaller than the side {self.side}")

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All samples of the source. Raises DataError where they are no pictures."""
        source = self.source.load(folders, rng)
        if source.picture is None or is_sparse(source.inputs):
            raise DataError(
                "the source of resampled pictures needs rows of pixels that make a picture, not "
                f"sparse; its inputs have the shape {source.inputs.shape}"
            )
        rows, columns = source.picture
        X = source.inputs.reshape(-1, rows, columns)
        Y = np.concatenate([self._resample(X[k : k + BLOCK]) for k in range(0, len(X), BLOCK)])
        field = self.field or self.side
        before = (field - self.side) // 2
        after = field - self.side - before
        Y = np.pad(Y, ((0, 0), (before, after), (before, after)))
        inputs = self.low + (self.high - self.low) * Y.reshape(len(Y), field**2)
        return replace(source, inputs=inputs, features=None, picture=(field, field))

    def _resample(self, X: Array) -> Array:
        """R X Cᵀ of pictures (samples, rows, columns)."""
        cells = np.arange(self.side + 1) / self.side
        _, rows, columns = X.shape
        if not self.fit:
            return shares(cells * rows, rows) @ X @ shares(cells * columns, columns).T
        ink = X != 0
        (top, bottom), (left, right) = (extent(ink.any(axis=axis)) for axis in (2, 1))
        longer = np.maximum(bottom - top, right - left)[:, None]
        R = shares((top + bottom)[:, None] / 2 + longer * (cells - 0.5), rows)
        C = shares((left + right)[:, None] / 2 + longer * (cells - 0.5), columns)
        return R @ X @ np.swapaxes(C, 1, 2)

    @classmethod
    def example(cls) -> Example:
        """The digits of 8 × 8 pixels as 4 × 4 in a field of 6 × 6."""
        return Example(cls(Digits(), side=4, field=6), value=(1797, 36))
