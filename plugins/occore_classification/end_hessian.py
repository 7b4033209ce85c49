"""Φ'', the Hessian of the terminal terms in the end states: its products and its columns."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from occore import Array, Evaluation


def end_hessian_product(at: Evaluation, dx: Array) -> Array:
    """Φ'' dx, of all terminal terms; like the end states."""
    total = np.zeros_like(dx)
    for weight, term in at.terminal:
        total += weight * term.gauss_newton_product(dx)
    return total


def end_hessian_columns(at: Evaluation) -> Iterator[Array]:
    """Φ''_i e_k of each sample i, (samples, outputs), for one output k after the other."""
    samples = len(at.output)
    for k in range(at.output[0].size):
        unit = np.zeros_like(at.output)
        unit.reshape(samples, -1)[:, k] = 1
        yield end_hessian_product(at, unit).reshape(samples, -1)
