"""Differences of floating-point numbers in units of the last place, one byte each.

Two numbers that agree up to rounding lie a few representable numbers apart. The distance, a small
integer, turns one into the other exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from occore.arrays import Array

Arrays = tuple[Array, ...]


def difference(approximate: Arrays, exact: Arrays) -> tuple[Any, ...]:
    """What `apply` needs to turn each approximate array into the exact one.

    An array of int8, or the exact array itself where some entry is farther than that can say.
    """
    return tuple(_difference(a, e) for a, e in zip(approximate, exact, strict=True))


def apply(approximate: Arrays, corrections: tuple[Any, ...]) -> Arrays:
    """The exact arrays."""
    return tuple(_apply(a, c) for a, c in zip(approximate, corrections, strict=True))


def _difference(a: Array, e: Array) -> Array:
    distance = _ordered(e) - _ordered(a)
    if np.any(np.abs(distance) > 127):
        return e
    return distance.astype(np.int8)


def _apply(a: Array, correction: Array) -> Array:
    if correction.dtype != np.int8:
        return correction
    ordered = _ordered(a) + correction
    return _unordered(ordered, a.dtype)


def _integer(dtype: np.dtype) -> np.dtype:
    return np.dtype(f"i{np.dtype(dtype).itemsize}")


def _ordered(x: Array) -> Array:
    """Integers in the order of the numbers, one for each representable number; −0 and 0 differ.

    The bits of positive numbers are in order; those of negative ones run the other way.
    """
    bits = np.ascontiguousarray(x).view(_integer(x.dtype))
    return np.where(bits < 0, np.iinfo(bits.dtype).min - bits - 1, bits)


def _unordered(ordered: Array, dtype: np.dtype) -> Array:
    bits = np.where(ordered < 0, np.iinfo(ordered.dtype).min - ordered - 1, ordered)
    return bits.astype(_integer(dtype)).view(dtype)
