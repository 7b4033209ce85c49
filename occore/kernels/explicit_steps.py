"""Compiled steps of explicit Runge–Kutta methods over the point kernels of a symbolic field.

    X_i = x + h Σ_j a_ij K_j,  K_i = f(t + c_i h, X_i, u_i),  x⁺ = x + h Σ_i b_i K_i

and, from x alone, the tangent, the adjoint and the second-order adjoint of a step:

    pk_i = h (b_i p + Σ_j a_ji q_j),   q_j = f_xᵀ pk_j,   p⁻ = p + Σ_j q_j

Hager, Runge–Kutta methods in optimal control (2000). Every function makes the stages by the same
operations in the same order, without contraction, so that a state is the same to the last bit
wherever it is computed again. All functions go over the steps first, …, last − 1 of the march:

    symbol   code            shape                      meaning
    t, h     times, lengths  (all steps (+ 1),)         of the grid
    x, p     x, p, dx, dp    (samples, n)               changed in place
    u        u, du           (rows, abscissae, m)       stage controls from step `base` on; one row
                                                        where they do not change
    u_ᵀ p    pu, dpu         like u                     added to
    x_k      states, …       (last − first, samples, n) before each step; written by advance and
                                                        tangent, unless it is empty
    k        marks           (observations,)            observed steps; `mark` is the place of the
                                                        first after `first`, backward after `last`
    y, py    kept, py        (samples, observations, n) written, or added to p
    X, K     X, K, dX, dK    (stages, n)
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from occore.kernels.explicit_source import LOOPS
from occore.symbolic.jit import compile_source
from occore.symbolic.kernels import Kernels
from occore.symbolic.printing import scalar_source


class Steps(NamedTuple):
    """The compiled functions."""

    advance: Any
    tangent: Any
    adjoint: Any
    second: Any


class Coefficients(NamedTuple):
    """a, b, c of a tableau, and the places of c among the abscissae."""

    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    c: tuple[float, ...]
    places: tuple[int, ...]


@lru_cache(maxsize=64)
def explicit_steps(kernels: Kernels, coefficients: Coefficients, dtype: str) -> Steps:
    """The loops for one field, one tableau and one precision; compiled when they are called."""
    points = {
        "f": kernels.value.tape,
        "jvp": kernels.jvp.tape,
        "vjp": kernels.vjp.tape,
        "curvature": kernels.curvature.tape,
    }
    number = "single" if dtype == "float32" else ""
    sources = ["@njit\n" + scalar_source(tape, name, number) for name, tape in points.items()]
    head = f"# {tuple(coefficients)!r} {dtype}\n"  # the numbers depend on these as well
    names = {
        "kind": np.dtype(dtype).type,
        "a": np.asarray(coefficients.a),
        "b": np.asarray(coefficients.b),
        "c": np.asarray(coefficients.c),
        "at": np.asarray(coefficients.places, np.int64),
        "stages": len(coefficients.b),
        "n": len(kernels.tape.outputs),
        "m": kernels.tape.groups[2] or 0,
    }
    made = compile_source(head + "\n\n".join([*sources, LOOPS]), "march", names)
    return Steps(made["advance"], made["tangent"], made["adjoint"], made["second"])
