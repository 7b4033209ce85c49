"""Text that the compiled loops of convolutions have in common; see `occore.kernels.convolution`."""

from __future__ import annotations

from occore.kernels.tile import registers

# Indices into slices begin at zero, so the compiler knows that none is negative: ten times as fast.
PAD = """
        for q in range(copies.shape[0]):
            to, begin, length = copies[q, 0], n * sizes[0] + copies[q, 1], copies[q, 2]
            row, given = padded[to : to + length], x[begin : begin + length]
            for e in range(length):
                row[e] = given[e]
"""
"""Picture n of x, padded."""

FOLD = """
        for q in range(folds.shape[0]):
            begin, to, length = folds[q, 0], n * sizes[2] + folds[q, 1], folds[q, 2]
            row, given = out[to : to + length], wide[begin : begin + length]
            for e in range(length):
                row[e] += given[e]
"""
"""The padded value is added to picture n of the value."""


def blocks(width: int, itemsize: int) -> list[tuple[int, int]]:
    """Pairs (first, lanes) that divide these channels among vector registers."""
    most = registers().size // itemsize
    return [(first, min(most, width - first)) for first in range(0, width, most)]


def divisor(number: int, most: int) -> int:
    """The largest divisor that is not above `most`."""
    return max(k for k in range(1, most + 1) if number % k == 0)


def tile_length(columns: int) -> int:
    """Outputs in registers at a time; the last tile of a row overlaps the one before."""
    tiles = -(-columns // registers().accumulators)
    return -(-columns // tiles)
