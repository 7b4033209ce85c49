"""Compiled steps of explicit Runge–Kutta methods over the point kernels of a symbolic field.

    X_i = x + h Σ_j a_ij K_j,  K_i = f(t + c_i h, X_i, u_i),  x⁺ = x + h Σ_i b_i K_i

and, from x alone, the tangent, the adjoint and the second-order adjoint of a step:

    pk_i = h (b_i p + Σ_j a_ji q_j),   q_j = f_xᵀ pk_j,   p⁻ = p + Σ_j q_j

Hager, Runge–Kutta methods in optimal control (2000). Every function makes the stages by the same
compiled code, so that a state is the same to the last bit wherever it is computed again.

    symbol   code            shape
    x, p     x, p, dx, dp    (n,)
    u        u, du, pu       (abscissae, m)
    X, K     X, K, dX, dK    (stages, n)
"""

from __future__ import annotations

import hashlib
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from occore.errors import require
from occore.kernels.explicit_source import LOOPS
from occore.symbolic import cache
from occore.symbolic.kernels import Kernels
from occore.symbolic.printing import scalar_source
from occore.symbolic.source import execute


class Steps(NamedTuple):
    """Compiled loops over the steps first, …, last − 1 and over all samples."""

    advance: Any
    tangent: Any
    adjoint: Any
    second: Any


Coefficients = tuple[tuple[tuple[float, ...], ...], tuple[float, ...], tuple[float, ...]]
"""(a, b, c) of a tableau."""


@lru_cache(maxsize=64)
def explicit_steps(
    kernels: Kernels, coefficients: Coefficients, places: tuple[int, ...], dtype: str
) -> Steps:
    """The loops for one field, one tableau and one precision; compiled when they are called."""
    numba = require("numba", extra="fast", purpose="to compile marches")
    kind, number = np.dtype(dtype).type, "single" if dtype == "float32" else ""
    points = {
        "f": kernels.value.tape,
        "jvp": kernels.jvp.tape,
        "vjp": kernels.vjp.tape,
        "curvature": kernels.curvature.tape,
    }
    head = f"# {coefficients!r} {places!r} {dtype}\n"  # part of the text, hence of its file name
    sources = ["@njit\n" + scalar_source(tape, name, number) for name, tape in points.items()]
    source = head + "\n\n".join([*sources, LOOPS])
    path = cache.write(f"march_{hashlib.sha256(source.encode()).hexdigest()[:32]}.py", source)
    a, b, c = (np.asarray(part, kind) for part in coefficients)
    names = {
        "np": np,
        "njit": partial(numba.njit, nogil=True, error_model="numpy", cache=path is not None),
        "single": np.float32,
        "kind": kind,
        "a": a,
        "b": b,
        "c": c,
        "at": np.asarray(places, np.int64),
        "stages": len(b),
        "n": len(kernels.tape.outputs),
        "m": kernels.tape.groups[2] or 0,
    }
    made = execute(source, names, str(path or "<occore march>"))
    return Steps(made["advance"], made["tangent"], made["adjoint"], made["second"])
