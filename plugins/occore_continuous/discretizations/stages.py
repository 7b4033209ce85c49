"""What the stages of a step share: their controls, and linear combinations of arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from occore import Array, Controls, array_namespace

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

    Arrays are of one shape. NumPy arrays of one type are summed in place, with two arrays of
    memory whatever the number of terms; the numbers are those of the plain formula.
    """
    if array_namespace(base) is np and all(a.dtype == base.dtype for _, a in terms):
        return _sum_in_place(base, terms)
    for w, a in terms:
        base = base + w * a
    return base


def _sum_in_place(base: Array, terms: Terms) -> Array:
    if not terms:
        return base
    (w, a), *rest = terms
    total = np.multiply(a, w)
    total += base
    if rest:
        product = np.empty_like(total)
        for w, a in rest:
            np.multiply(a, w, out=product)
            total += product
    return total
