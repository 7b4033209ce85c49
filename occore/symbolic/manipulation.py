"""Making arrays, and arranging their entries. The `dtype` and the `device` are of no effect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from occore.symbolic import elementary
from occore.symbolic.array import SymbolicArray, entries

Shape = int | tuple[int, ...]


def asarray(
    obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None
) -> SymbolicArray:
    """The array of numbers, of a NumPy array, or of nested sequences that may hold arrays."""
    if isinstance(obj, (list, tuple)) and obj:
        return stack([asarray(part) for part in obj])
    return SymbolicArray(entries(obj))


def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> SymbolicArray:
    """Conditions become 0 and 1; anything else stays as it is."""
    array = asarray(x)
    numeric = np.dtype(dtype) != np.bool_
    return elementary.where(array, 1, 0) if array.dtype == np.bool_ and numeric else array


def full(shape: Shape, fill_value: Any, *, dtype: Any = None, device: Any = None) -> SymbolicArray:
    """One value everywhere."""
    return broadcast_to(fill_value, (shape,) if isinstance(shape, int) else shape)


def full_like(
    x: Any, /, fill_value: Any, *, dtype: Any = None, device: Any = None
) -> SymbolicArray:
    """One value everywhere, in the shape of x."""
    return full(x.shape, fill_value)


def zeros(shape: Shape, *, dtype: Any = None, device: Any = None) -> SymbolicArray:
    """Zeros."""
    return full(shape, 0)


def zeros_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> SymbolicArray:
    """Zeros, in the shape of x."""
    return full(x.shape, 0)


def ones(shape: Shape, *, dtype: Any = None, device: Any = None) -> SymbolicArray:
    """Ones."""
    return full(shape, 1)


def ones_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> SymbolicArray:
    """Ones, in the shape of x."""
    return full(x.shape, 1)


empty, empty_like = zeros, zeros_like


def eye(
    n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None
) -> SymbolicArray:
    """Ones on the diagonal k."""
    return asarray(np.eye(n_rows, n_cols, k))


def arange(
    start: float,
    /,
    stop: float | None = None,
    step: float = 1,
    *,
    dtype: Any = None,
    device: Any = None,
) -> SymbolicArray:
    """start, start + step, … below stop."""
    return asarray(np.arange(start) if stop is None else np.arange(start, stop, step))


def linspace(
    start: float,
    stop: float,
    /,
    num: int,
    *,
    dtype: Any = None,
    device: Any = None,
    endpoint: bool = True,
) -> SymbolicArray:
    """Numbers at equal distances."""
    return asarray(np.linspace(start, stop, num, endpoint=endpoint))


def stack(arrays: Sequence[Any], /, *, axis: int = 0) -> SymbolicArray:
    """Arrays of one shape, along a new axis."""
    return SymbolicArray(np.stack([entries(array) for array in arrays], axis=axis))


def concat(arrays: Sequence[Any], /, *, axis: int | None = 0) -> SymbolicArray:
    """Arrays one after the other."""
    return SymbolicArray(np.concatenate([entries(array) for array in arrays], axis=axis))


def reshape(x: Any, /, shape: Shape, *, copy: bool | None = None) -> SymbolicArray:
    """The same entries in another shape."""
    return SymbolicArray(entries(x).reshape(shape))


def permute_dims(x: Any, /, axes: tuple[int, ...]) -> SymbolicArray:
    """Axes in another order."""
    return SymbolicArray(np.transpose(entries(x), axes))


def moveaxis(x: Any, source: Shape, destination: Shape, /) -> SymbolicArray:
    """Some axes at other places."""
    return SymbolicArray(np.moveaxis(entries(x), source, destination))


def expand_dims(x: Any, /, axis: Shape = 0) -> SymbolicArray:
    """A new axis of length one."""
    return SymbolicArray(np.expand_dims(entries(x), axis))


def squeeze(x: Any, /, axis: Shape) -> SymbolicArray:
    """Without axes of length one."""
    return SymbolicArray(np.squeeze(entries(x), axis))


def broadcast_to(x: Any, /, shape: tuple[int, ...]) -> SymbolicArray:
    """Repeated along axes of length one and new leading axes."""
    return SymbolicArray(np.broadcast_to(entries(x), shape))


def broadcast_arrays(*arrays: Any) -> tuple[SymbolicArray, ...]:
    """All in their common shape."""
    shape = np.broadcast_shapes(*(np.shape(entries(array)) for array in arrays))
    return tuple(broadcast_to(array, shape) for array in arrays)


def flip(x: Any, /, *, axis: Any = None) -> SymbolicArray:
    """In reverse order."""
    return SymbolicArray(np.flip(entries(x), axis))


def roll(x: Any, /, shift: Any, *, axis: Any = None) -> SymbolicArray:
    """Shifted in a circle."""
    return SymbolicArray(np.roll(entries(x), shift, axis))


def tile(x: Any, repetitions: tuple[int, ...], /) -> SymbolicArray:
    """Copies side by side."""
    return SymbolicArray(np.tile(entries(x), repetitions))


def repeat(x: Any, repeats: Any, /, *, axis: int | None = None) -> SymbolicArray:
    """Each entry several times."""
    return SymbolicArray(np.repeat(entries(x), repeats, axis))


def take(x: Any, indices: Any, /, *, axis: int | None = None) -> SymbolicArray:
    """Entries at these numbers along an axis."""
    numbers = entries(indices).astype(np.intp)
    return SymbolicArray(np.asarray(np.take(entries(x), numbers, axis), dtype=object))
