"""Arrays of SymPy expressions that follow the Array API, so that model code runs on symbols."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import sympy


def exact(value: Any) -> Any:
    """A number as SymPy has it. A float becomes the rational number that it is, not a decimal.

    So no constant loses digits on its way through printed source, and 0.5 is a square root where it
    is an exponent.
    """
    if isinstance(value, (bool, np.bool_)):
        return sympy.true if value else sympy.false
    if isinstance(value, (float, np.floating)) and np.isfinite(value):
        return sympy.Rational(*float(value).as_integer_ratio())
    return sympy.sympify(value)


_exact = np.frompyfunc(exact, 1, 1)


def entries(x: Any) -> np.ndarray:
    """The object array of expressions of a symbolic array, of a NumPy array or of a number."""
    if isinstance(x, SymbolicArray):
        return x.entries
    with np.errstate(invalid="ignore"):  # NaN is a value here: what was not observed
        return np.asarray(_exact(np.asarray(x)), dtype=object)


def elementwise(function: Callable[..., Any], *arrays: Any) -> SymbolicArray:
    """The array of function values, with the broadcasting of NumPy."""
    values = np.frompyfunc(function, len(arrays), 1)(*(entries(array) for array in arrays))
    return SymbolicArray(np.asarray(values, dtype=object))


def compare(relation: Any) -> Callable[[Any, Any], Any]:
    """A relation of two expressions, decided for numbers only: SymPy would search for long."""
    return lambda a, b: relation(a, b, evaluate=bool(a.is_number and b.is_number))


RELATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "lt": compare(sympy.Lt),
    "le": compare(sympy.Le),
    "gt": compare(sympy.Gt),
    "ge": compare(sympy.Ge),
    "eq": compare(sympy.Eq),
    "ne": compare(sympy.Ne),
}
"""Comparisons of expressions, by the names of the operators."""


def matmul(a: Any, b: Any) -> SymbolicArray:
    """Matrix product with the shapes of NumPy."""
    return SymbolicArray(np.asarray(np.matmul(entries(a), entries(b)), dtype=object))


def _operator(function: Callable[[Any, Any], Any]) -> Any:
    return lambda self, other: elementwise(function, self, other)


def _both(function: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
    """An operator and its reflection."""
    return _operator(function), lambda self, other: elementwise(function, other, self)


class SymbolicArray:
    """An immutable array of expressions; `entries` is its NumPy array of objects."""

    __array_ufunc__ = None  # NumPy arrays on the left give way
    __hash__ = None  # type: ignore[assignment]  # == compares by entries

    def __init__(self, entries: np.ndarray) -> None:
        self.entries = entries

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """`occore.symbolic.namespace`."""
        from occore.symbolic import namespace

        return namespace

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self.entries.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.entries.ndim

    @property
    def size(self) -> int:
        """Number of entries."""
        return self.entries.size

    @property
    def dtype(self) -> np.dtype:
        """bool for conditions, float64 for everything else."""
        logical = self.size > 0 and not any(
            isinstance(entry, sympy.Expr) for entry in self.entries.flat
        )
        return np.dtype(np.bool_ if logical else np.float64)

    @property
    def device(self) -> str:
        """Where symbols live."""
        return "cpu"

    def to_device(self, device: str, /, *, stream: Any = None) -> SymbolicArray:
        """The array itself."""
        return self

    @property
    def T(self) -> SymbolicArray:
        """Transpose of a matrix."""
        return SymbolicArray(self.entries.T)

    @property
    def mT(self) -> SymbolicArray:
        """Transpose of a stack of matrices."""
        return SymbolicArray(np.swapaxes(self.entries, -1, -2))

    def __getitem__(self, key: Any) -> SymbolicArray:
        keys = key if isinstance(key, tuple) else (key,)
        keys = tuple(_index(k) if isinstance(k, SymbolicArray) else k for k in keys)
        return SymbolicArray(np.asarray(self.entries[keys], dtype=object))

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[SymbolicArray]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        truth = self.entries.item()
        if truth in (sympy.true, sympy.false):
            return bool(truth)
        raise TypeError(f"a model cannot branch on {str(truth)[:60]!r}; write xp.where instead")

    def __repr__(self) -> str:
        return f"SymbolicArray({self.entries.tolist()})"

    def __pos__(self) -> SymbolicArray:
        return self

    def __neg__(self) -> SymbolicArray:
        return elementwise(lambda a: -a, self)

    def __abs__(self) -> SymbolicArray:
        return self.__array_namespace__().abs(self)

    def __invert__(self) -> SymbolicArray:
        return elementwise(sympy.Not, self)

    __add__, __radd__ = _both(operator.add)
    __sub__, __rsub__ = _both(operator.sub)
    __mul__, __rmul__ = _both(operator.mul)
    __truediv__, __rtruediv__ = _both(operator.truediv)
    __pow__, __rpow__ = _both(operator.pow)
    __and__, __rand__ = _both(sympy.And)
    __or__, __ror__ = _both(sympy.Or)
    __lt__, __le__ = _operator(RELATIONS["lt"]), _operator(RELATIONS["le"])
    __gt__, __ge__ = _operator(RELATIONS["gt"]), _operator(RELATIONS["ge"])
    __eq__, __ne__ = _operator(RELATIONS["eq"]), _operator(RELATIONS["ne"])

    def __matmul__(self, other: Any) -> SymbolicArray:
        return matmul(self, other)

    def __rmatmul__(self, other: Any) -> SymbolicArray:
        return matmul(other, self)


def symbols(prefix: str, shape: tuple[int, ...]) -> SymbolicArray:
    """An array of real symbols named prefix_0, prefix_1, … in the order of memory."""
    flat = np.empty(math.prod(shape), dtype=object)
    flat[:] = [sympy.Symbol(f"{prefix}_{i}", real=True) for i in range(len(flat))]
    return SymbolicArray(flat.reshape(shape))


def _index(array: SymbolicArray) -> np.ndarray:
    """Integers or truth values that index an array."""
    return array.entries.astype(bool if array.dtype == bool else np.intp)
