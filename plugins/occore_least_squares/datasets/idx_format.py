"""The IDX format of MNIST: a header, then the entries in C order, all big-endian.

    bytes    content
    2        zero
    1        type of the entries: 8 uint8, 9 int8, 11 int16, 12 int32, 13 float32, 14 float64
    1        number of axes
    4 each   length of each axis; the first counts the samples
    …        entries

Source: LeCun, Cortes and Burges, The MNIST database of handwritten digits. The file may be
compressed with gzip, whatever its name.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from occore import Array, DataError
from occore_least_squares.datasets.content import byte_limit, too_large

TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
MOST_AXES = 8

Stream = IO[bytes] | gzip.GzipFile


def read_idx(path: Path, samples: int | None = None) -> tuple[Array, int]:
    """The array (samples, …) and how many samples the file has.

    Where only the first `samples` are wanted, what follows them is not read.

    Raises DataError for a wrong magic number, for lengths that the file does not hold or that go
    beyond `byte_limit`, and for more samples than there are.
    """
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if not zipped:
                return _read(path, file, samples)
            with gzip.open(file) as stream:
                return _read(path, stream, samples)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(
            f"{path}: the gzip stream is damaged: {error}; fetch the file again"
        ) from error


def _read(path: Path, stream: Stream, samples: int | None) -> tuple[Array, int]:
    dtype, (total, *sample_shape) = _header(path, stream)
    taken = total if samples is None else samples
    if taken > total:
        raise DataError(f"{path}: samples = {samples}, but the file has only {total}")
    shape = (taken, *sample_shape)
    size = math.prod(shape) * dtype.itemsize
    if size > byte_limit(path):
        raise DataError(too_large(f"{path}: the header", size, path))
    content = stream.read(size)
    if len(content) < size:
        raise DataError(
            f"{path}: the header declares the shape {shape}, {size} bytes, but the file ends after "
            f"{len(content)} of them; fetch it again"
        )
    if taken == total and stream.read(1):
        raise DataError(
            f"{path}: the header declares the shape {shape}, {size} bytes, but more follow; the "
            "file is damaged"
        )
    return np.frombuffer(content, dtype).reshape(shape), total


def _header(path: Path, stream: Stream) -> tuple[np.dtype, tuple[int, ...]]:
    """Type and lengths; no length is zero."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES:
        raise DataError(
            f"{path}: the file starts with {magic.hex(' ') or 'nothing'}; an IDX file starts with "
            "00 00, a type (08 for bytes) and the number of axes"
        )
    axes = magic[3]
    if not 1 <= axes <= MOST_AXES:
        raise DataError(f"{path}: the header declares {axes} axes; 1 to {MOST_AXES} are expected")
    lengths = stream.read(4 * axes)
    if len(lengths) < 4 * axes:
        raise DataError(f"{path}: the file ends within its header; fetch it again")
    shape = struct.unpack(f">{axes}I", lengths)
    if 0 in shape:
        raise DataError(f"{path}: the header declares the shape {shape}, which holds nothing")
    return np.dtype(TYPES[magic[2]]), shape
