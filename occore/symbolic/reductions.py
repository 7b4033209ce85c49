"""Sums, products and extrema along axes. `axis` is a number, a tuple, or None for all axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy

from occore.symbolic import elementary
from occore.symbolic.array import SymbolicArray, entries

Axis = int | tuple[int, ...] | None


def _reduction(function: Callable[[list[Any]], Any]) -> Callable[..., SymbolicArray]:
    """The reduction of an array that `function` does to a list of expressions."""

    def reduced(
        x: Any, /, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False
    ) -> SymbolicArray:
        values = entries(x)
        given = tuple(range(values.ndim)) if axis is None else axis
        axes = tuple(a % values.ndim for a in ((given,) if isinstance(given, int) else given))
        last = np.moveaxis(values, axes, range(values.ndim - len(axes), values.ndim))
        kept = last.shape[: values.ndim - len(axes)]
        rows = last.reshape(math.prod(kept), math.prod(values.shape[a] for a in axes))
        result = np.empty(len(rows), dtype=object)
        for i, row in enumerate(rows):
            result[i] = function(list(row))
        result = result.reshape(kept)
        return SymbolicArray(np.expand_dims(result, axes) if keepdims else result)

    return reduced


def _pairwise(function: Callable[[Any, Any], SymbolicArray]) -> Callable[[list[Any]], Any]:
    """In rounds of pairs: an extremum has each operand twice, so a long chain would double it."""

    def reduced(row: list[Any]) -> Any:
        while len(row) > 1:
            pairs = zip(row[::2], row[1::2], strict=False)
            row = [function(a, b).entries.item() for a, b in pairs] + row[len(row) & ~1 :]
        return row[0]

    return reduced


sum = _reduction(lambda row: sympy.Add(*row))
prod = _reduction(lambda row: sympy.Mul(*row))
mean = _reduction(lambda row: sympy.Add(*row) / len(row))
max = _reduction(_pairwise(elementary.maximum))
min = _reduction(_pairwise(elementary.minimum))
all = _reduction(lambda row: sympy.And(*row))
any = _reduction(lambda row: sympy.Or(*row))


def var(
    x: Any, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> SymbolicArray:
    """Mean square of the deviation from the mean; the divisor is the count − `correction`."""
    deviation = x - mean(x, axis=axis, keepdims=True)
    total = sum(deviation**2, axis=axis, keepdims=keepdims)
    return total / (entries(x).size // total.size - correction)


def std(
    x: Any, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> SymbolicArray:
    """Square root of `var`."""
    return elementary.sqrt(var(x, axis=axis, correction=correction, keepdims=keepdims))


def cumulative_sum(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> SymbolicArray:
    """Sums of the entries up to each one; `axis` may be left out for a vector."""
    values = entries(x)
    axis = 0 if axis is None else axis
    if include_initial:
        first = np.full_like(np.take(values, [0], axis=axis), sympy.S.Zero)
        values = np.concatenate([first, values], axis=axis)
    return SymbolicArray(np.cumsum(values, axis=axis))
