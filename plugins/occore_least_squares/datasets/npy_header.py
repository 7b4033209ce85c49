"""The header of an array in NumPy's format, checked before any memory is taken for the array.

Source: `numpy.lib.format`, versions 1.0 and 2.0; version 3.0 serves structured types only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from tokenize import TokenError
from typing import IO

import numpy as np

from occore import DataError

MOST_AXES = 64  # of a NumPy array

UNSOUND = (ValueError, TypeError, SyntaxError, TokenError, RecursionError, MemoryError)
"""How the parser of Python literals, in which headers are written, ends on what is none."""


@dataclass(frozen=True)
class NpyHeader:
    """What the header says of the array."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype

    @property
    def size(self) -> int:
        """Bytes of the array, as an exact integer."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(stream: IO[bytes], where: str) -> NpyHeader:
    """The header at the start of a stream, which is then at the first byte of the array.

    Raises DataError for what is no array, and for types other than numbers, bools and texts.
    """
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            header = NpyHeader(*np.lib.format.read_array_header_1_0(stream))
        elif version == (2, 0):
            header = NpyHeader(*np.lib.format.read_array_header_2_0(stream))
        else:
            raise ValueError(f"version {version} of the format serves structured types only")
    except UNSOUND as error:
        raise DataError(f"{where} has no sound header: {str(error)[:200]}") from error
    if header.dtype.hasobject:
        raise DataError(
            f"{where} holds Python objects, which are never unpickled; store numbers, or texts "
            "with numpy.array(texts, dtype=str)"
        )
    if header.dtype.kind not in "biufUS" or header.dtype.itemsize == 0:
        raise DataError(
            f"{where} has the type {header.dtype}; numbers, bools or texts are expected"
        )
    if len(header.shape) > MOST_AXES or not all(0 <= n < 2**63 for n in header.shape):
        raise DataError(f"{where} declares lengths that no array has; the file is damaged")
    return header
