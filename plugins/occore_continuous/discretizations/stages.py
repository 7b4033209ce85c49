"""What the stages of a step share: their controls, and linear combinations of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from occore import Array, Controls, array_namespace
from occore_continuous.discretizations.tableau import Weights

Terms = Sequence[tuple[float, Array]]
"""Weights with the arrays that they multiply."""


def at(control: Controls, place: int) -> Controls:
    """The controls at one of the abscissae."""
    return {name: values[place, ...] for name, values in control.items()}


def gather(parts: Sequence[Controls], places: Sequence[int], count: int) -> Controls:
    """The adjoint of `at` over all stages: (count, *shape) for each name.

    parts: adjoints of the stages' controls. places: the place of each; those that share one are
    added in the order given.
    """
    result = {}
    for name, like in parts[0].items():
        rows: list[Array] = [None] * count
        for part, place in zip(parts, places, strict=False):
            row = rows[place]
            rows[place] = part[name] if row is None else row + part[name]
        result[name] = array_namespace(like).stack([0 * like if r is None else r for r in rows])
    return result


def add(first: Controls, second: Controls) -> Controls:
    """The sum, name by name."""
    return {name: value + second[name] for name, value in first.items()}


def zeros(control: Controls) -> Controls:
    """Zeros like the controls."""
    return {name: 0 * value for name, value in control.items()}


def reverse(control: Controls) -> Controls:
    """The controls of the same step taken backwards; for symmetric abscissae."""
    return {name: values[::-1] for name, values in control.items()}


def combine(base: Array, terms: Terms) -> Array:
    """base + Σ w a over the terms (w, a), summed from left to right.

    NumPy arrays of one shape and floating-point type are summed by BLAS, which reads and writes
    each number once a term where the plain formula does so twice; with four terms it takes half
    the time. BLAS may fuse a product with its sum, so the last bit can differ from the formula's.
    """
    if not terms:
        return base
    if _for_blas(base, terms):
        return _add_by_blas(base.flatten(), terms).reshape(base.shape)
    for w, a in terms:
        base = base + w * a
    return base


def scaled(weights: Weights, h: float, k: Sequence[Array]) -> Terms:
    """The terms of h Σ w_j k_j."""
    return [(h * w, k[j]) for j, w in weights]


def weighted_sum(terms: Terms) -> Array:
    """Σ w a over the terms, of which there is one at least, like `combine`."""
    (w, a), *rest = terms
    if rest and _for_blas(a, rest):
        return _add_by_blas((w * a).reshape(-1), rest).reshape(a.shape)
    return combine(w * a, rest)


def _for_blas(base: Array, terms: Terms) -> bool:
    return (
        array_namespace(base) is np
        and base.dtype.char in "fdFD"
        and base.size > 0
        and all(a.dtype == base.dtype and a.shape == base.shape for _, a in terms)
    )


def _add_by_blas(total: Array, terms: Terms) -> Array:
    """total + Σ w a, in place of the flat array `total`."""
    axpy = _axpy(total.dtype)
    for w, a in terms:
        total = axpy(a.ravel(), total, a=w)
    return total


@cache
def _axpy(dtype: np.dtype) -> Any:
    """BLAS's y ← y + a x, in place in y."""
    import scipy.linalg

    return scipy.linalg.get_blas_funcs("axpy", dtype=dtype)
