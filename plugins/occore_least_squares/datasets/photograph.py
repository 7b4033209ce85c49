"""A photograph, pixel by pixel: for inpainting, where some pixels are known and all are wanted.

    targets of sample i: the colour of pixel i.    inputs of sample i: e_i, which picks pixel i

A linear layer W without bias then has the picture as its control, a row of W for each colour, and
A, with the known pixels as its rows, is the mask. `held_out` leaves pixels out, and they judge what
was restored. The inputs are sparse: one entry a pixel.

The two pictures, of 427 × 640 pixels, come with scikit-learn: china.jpg by danielbuechele and
flower.jpg by vultilion, both of Flickr, under the licence CC BY 2.0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from occore import Array, Data, DataError, Dataset, Example, require
from occore_least_squares.datasets.content import array_digest

Place = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class PictureData(Data):
    """Pixels, and the whole picture that they are of: (rows, columns, colours), for figures."""

    original: Array = field(kw_only=True)

    def record(self) -> dict[str, Array]:
        """The whole picture, and which of its pixels these data have, (rows, columns)."""
        known = np.zeros(self.original.shape[:2], bool)
        known.ravel()[self.inputs.indices] = True
        return {"picture": self.original, "known": known}


@dataclass(frozen=True)
class Photograph(Dataset):
    """inputs (pixels, pixels), sparse; targets (pixels, colours) in [0, 1]; row after row."""

    name: Annotated[Literal["china", "flower"], Field(description="which picture")] = "china"
    gray: Annotated[bool, Field(description="one mean of the three colours")] = False
    crop: Annotated[
        tuple[Place, Place, Place, Place] | None,
        Field(description="first row and column, rows and columns that are kept; all if not given"),
    ] = None
    shrink: Annotated[
        int, Field(gt=0, description="edge of the squares of pixels that are averaged to one")
    ] = 1

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """Every pixel. Raises MissingExtra, and DataError where the crop leaves the picture."""
        from scipy.sparse import eye_array

        pixels = self._cropped(self._picture())
        s = self.shrink
        rows, columns = pixels.shape[0] // s, pixels.shape[1] // s
        if rows * columns == 0:
            raise DataError(
                f"squares of {s} pixels do not fit into {pixels.shape[0]} × {pixels.shape[1]}"
            )
        squares = pixels[: rows * s, : columns * s].reshape(rows, s, columns, s, -1)
        picture = squares.mean(axis=(1, 3)) / 255
        inputs = eye_array(rows * columns, format="csr")
        return PictureData(
            inputs,
            picture.reshape(rows * columns, -1),
            digest=array_digest(picture),
            picture=(rows, columns),
            original=picture,
        )

    def _picture(self) -> Array:
        """(427, 640, colours), 0 to 255."""
        require("PIL", extra="data", purpose="to read a photograph")
        source = require("sklearn.datasets", extra="data", purpose="to load a photograph")
        pixels = source.load_sample_image(f"{self.name}.jpg").astype(float)
        return pixels.mean(axis=2, keepdims=True) if self.gray else pixels

    def _cropped(self, pixels: Array) -> Array:
        if self.crop is None:
            return pixels
        top, left, rows, columns = self.crop
        part = pixels[top : top + rows, left : left + columns]
        if part.shape[:2] != (rows, columns) or part.size == 0:
            raise DataError(
                f"crop {list(self.crop)} leaves the picture of {pixels.shape[0]} × "
                f"{pixels.shape[1]} pixels; it is [first row, first column, rows, columns]"
            )
        return part

    @classmethod
    def example(cls) -> Example:
        """Six squares of two pixels each way."""
        return Example(cls(crop=(100, 200, 4, 6), shrink=2), value=(6, 6))
