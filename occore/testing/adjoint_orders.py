"""Orders of adjoint and gradient: those of the discrete march against those of the flow.

    J = ½ ‖x(end)‖²,    u(t) = u₀(t) + c₀ + c₁ sin t,    dp/dt = −f_xᵀ p,    p(end) = x(end)
    dJ/dx(start) = p(start),    dJ/dc_i = ∫ B_i f_uᵀ p dt,    B = (1, sin t),    at c = 0

The flow's values are SciPy's DOP853 at its tightest tolerance, forward and then back.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from occore.arrays import Array
from occore.discretization import Discretization
from occore.example import Example
from occore.testing.fields import Field
from occore.testing.points import Generator
from occore.testing.step_orders import (
    HIGH,
    HORIZON,
    T,
    X,
    control,
    fields,
    judge,
    reference,
    slope,
    stage_control,
)

COUNTS = {
    1: (20, 40, 80, 160),
    2: (10, 20, 40, 80),
    3: (8, 16, 32, 64),
    4: (6, 12, 24, 48),
    5: (12, 16, 24, 32),
}
"""Steps by order, where the two leading terms rule and the error stands clear of rounding."""


def basis(t: float) -> Array:
    """B(t)."""
    return np.array([1.0, np.sin(t)])


def discrete(method: Discretization, field: Field, steps: int) -> tuple[Array, Array]:
    """p(start) and the gradient in c, of the march."""
    h, x, parts = HORIZON / steps, X, []
    for k in range(steps):
        t = T + k * h
        x, part = method.linearize_step(field, t, h, x, stage_control(method, t, h))
        parts.append((t, part))
    p, total = x, 0.0
    for t, part in reversed(parts):
        p, pu = part.vjp(p)
        B = np.array([basis(t + c * h) for c in method.abscissae])
        total = total + np.concatenate([np.tensordot(B, pu[n], (0, 0)).ravel() for n in sorted(pu)])
    return p, total


@lru_cache(maxsize=4)
def continuous(field: Field) -> tuple[Array, Array]:
    """The same of the flow."""
    end = reference(field, T, HORIZON)

    def rates(t: float, y: Array) -> Array:
        x, p = (part.reshape(X.shape) for part in (y[: X.size], y[X.size : 2 * X.size]))
        f, part = field.linearize(t, x, control(t))
        px, pu = part.vjp(p)
        g = [np.multiply.outer(basis(t), pu[name]).ravel() for name in sorted(pu)]
        return np.concatenate([f.ravel(), -px.ravel(), *(-gi for gi in g)])

    size = 2 * field.controls.size
    start = np.concatenate([end.ravel(), end.ravel(), np.zeros(size)])
    found: Any = solve_ivp(rates, (T + HORIZON, T), start, method="DOP853", rtol=1e-13, atol=1e-15)
    y = found.y[:, -1]
    return y[X.size : 2 * X.size].reshape(X.shape), y[2 * X.size :]


def fitted(steps: Sequence[int], errors: Sequence[float]) -> float:
    """p of the least-squares fit log error = a + p log h + c h: c takes up the next order."""
    h = 1 / np.asarray(steps)
    columns = np.stack([np.log(h), np.ones_like(h), h], axis=1)
    return float(np.linalg.lstsq(columns, np.log(errors))[0][0])


def adjoint_order(example: Example, rng: Generator) -> None:
    """Adjoint at the start and gradient have the order of the method as well."""
    method, field = example.map, fields(example)[0]
    counts = COUNTS.get(method.order, HIGH)
    found = zip(*(discrete(method, field, n) for n in counts), strict=True)
    for what, exact, values in zip(("adjoint", "gradient"), continuous(field), found, strict=True):
        errors = [float(np.linalg.norm(value - exact)) for value in values]
        high = method.order not in COUNTS
        order = slope([1 / n for n in counts], errors) if high else fitted(counts, errors)
        judge(f"{type(method).__name__}: {what}", method.order, order, errors)


CHECKS = (adjoint_order,)
