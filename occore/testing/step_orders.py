"""What a discretization says of itself: its order, error estimate, dense output and way back.

The reference is SciPy's DOP853 at its tightest tolerance, on a field with controls that are frozen
functions of time. Slopes are fitted where the leading term rules: between the coarsest steps, whose
next term still counts, and rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from occore.arrays import Array, Controls
from occore.discretization import Discretization
from occore.dynamics import Dynamics
from occore.errors import InputError
from occore.example import Example
from occore.running import WithCost
from occore.testing.comparison import close, fail, identical, require
from occore.testing.fields import START, Field
from occore.testing.points import Generator
from occore.testing.terms import Effort

T, HORIZON = 0.3, 1.0
X = np.asarray(START["x"])
START_K, START_B = np.asarray(START["K"]), np.asarray(START["b"])
ROUNDING = 5e-13
"""Errors below are not used. DOP853 leaves 1e-14, and so does the rounding of a hundred steps: two
per cent of this, which bends a slope over a factor 1.5 in h by 0.05."""
COUNTS = {
    1: (80, 160, 320),
    2: (40, 80, 160),
    3: (16, 32, 64),
    4: (12, 16, 24, 32),
    5: (24, 32, 48),
}
"""Steps by order, where the leading term rules and rounding does not."""
HIGH = (4, 6, 8, 12)
"""Steps of higher orders: they meet rounding before their leading term rules."""


def control(t: float) -> Controls:
    """Smooth controls at one time."""
    return {"K": START_K * (1 + 0.5 * np.sin(t)), "b": START_B + 0.3 * np.cos(3 * t), "g": 0.8}


def stage_control(method: Discretization, t: float, h: float) -> Controls:
    """The same at the abscissae of a step."""
    stages = [control(t + c * h) for c in method.abscissae]
    return {name: np.stack([np.asarray(u[name]) for u in stages]) for name in stages[0]}


def reference(field: Dynamics, t: float, h: float, x: Array = X) -> Array:
    """The state at t + h."""

    def rate(t: float, y: Array) -> Array:
        return field(t, y.reshape(x.shape), control(t)).ravel()

    found: Any = solve_ivp(rate, (t, t + h), x.ravel(), method="DOP853", rtol=1e-13, atol=1e-15)
    return found.y[:, -1].reshape(x.shape)


def fields(example: Example) -> list[Field]:
    """Where the order is to be seen: everywhere, unless the example itself is separable.

    A method whose example is a problem with dq/dt(p) and dp/dt(q) is held to such problems only.
    """
    x, h = np.asarray(example.x, float), np.shape(example.x)[-1] // 2
    _, part = example.dynamics.linearize(example.t, x, {k: v[0] for k, v in example.u.items()})
    first, second = np.zeros_like(x), np.zeros_like(x)
    first[..., :h], second[..., h:] = 1.0, 1.0
    still = {name: 0 * np.asarray(value)[0] for name, value in example.u.items()}
    of_q, of_p = part.jvp(first, still), part.jvp(second, still)
    separable = h > 0 and not np.any(of_q[..., :h]) and not np.any(of_p[..., h:])
    return [Field(blocks=True)] if separable else [Field(), Field(blocks=True)]


def slope(lengths: Any, errors: Any) -> float | None:
    """Slope of log error over log length, without what is lost in rounding; None if all is."""
    pairs = [(h, e) for h, e in zip(lengths, errors, strict=True) if e > ROUNDING]
    if len(pairs) < 3:
        return None
    h, e = np.log(np.array(pairs[-3:])).T
    return float(np.polyfit(h, e, 1)[0])


def _march(method: Discretization, field: Dynamics, steps: int, horizon: float, x: Array) -> Array:
    h = horizon / steps
    for k in range(steps):
        t = T + k * h
        x = method.step(field, t, h, x, stage_control(method, t, h))
    return x


def _observed_order(example: Example, field: Dynamics, horizon: float, x: Array = X) -> None:
    method = example.map
    counts = COUNTS.get(method.order, HIGH)
    exact = reference(field, T, horizon, x)
    ends = [_march(method, field, n, horizon, x) for n in counts]
    errors = [float(np.linalg.norm(y - exact)) for y in ends]
    found = slope([abs(horizon) / n for n in counts], errors)
    judge(f"{type(method).__name__}: state", method.order, found, errors)


def judge(what: str, order: int, found: float | None, errors: list[float]) -> None:
    """Raise CheckFailed unless the slope is the order ± 0.1; None: all errors are rounding."""
    if found is None:
        close(f"{what} with rounding errors only", errors[-1], 0.0, 1.0, 1e-10)
    elif found < order - 0.1 or (order in COUNTS and found > order + 0.1):
        fail(f"{what}: observed order {found:.2f}, not {order} ± 0.1; errors {errors}")


def observed_order(example: Example, rng: Generator) -> None:
    """The global error falls with the order of the method."""
    for field in fields(example):
        _observed_order(example, field, HORIZON)


def cost_order(example: Example, rng: Generator) -> None:
    """So does that of a state with a running cost, which the same steps integrate."""
    field, x = fields(example)[-1], np.pad(X, ((0, 0), (0, 1)))
    _observed_order(example, WithCost(field, Effort(), X.shape[1:]), HORIZON, x)


def backward_order(example: Example, rng: Generator) -> None:
    """So it does in steps of negative length, unless the method refuses them by an InputError."""
    try:
        for field in fields(example):
            _observed_order(example, field, -HORIZON / 2)
    except InputError:
        return


def declared(example: Example, rng: Generator) -> None:
    """Order, abscissae, and the orders of what else is offered."""
    method: Discretization = example.map
    c = np.asarray(method.abscissae)
    increasing = len(c) > 0 and np.all(np.diff(c) > 0) and c[0] >= 0 and c[-1] <= 1
    require(increasing, f"abscissae are {c}; they must increase within [0, 1]")
    require(isinstance(method.order, int) and method.order >= 1, f"order is {method.order!r}")
    if method.step_with_error is not None:
        require(hasattr(method, "error_order"), "step_with_error without an error_order")
    if method.dense_output is not None:
        require(hasattr(method, "dense_order"), "dense_output without a dense_order")


def error_estimate(example: Example, rng: Generator) -> None:
    """step_with_error gives the state of step, and an estimate of the order that it says."""
    method: Discretization = example.map
    if method.step_with_error is None:
        return
    lengths, sizes, field = (0.4, 0.2, 0.1, 0.05, 0.025), [], Field()
    for h in lengths:
        u = stage_control(method, T, h)
        y, error = method.step_with_error(field, T, h, X, u)
        identical("step_with_error", {"state": y}, {"state": method.step(field, T, h, X, u)})
        require(error.shape == X.shape, f"the estimate has the shape {error.shape}")
        sizes.append(float(np.linalg.norm(error)))
    found, expected = slope(lengths, sizes), method.error_order + 1
    # as of the order, high ones show from below only
    if found is not None and (
        found < expected - 0.5 or found > expected + 0.5 + 9 * (expected > 5)
    ):
        fail(f"the error estimate is of order {found:.2f}, not {expected}; sizes {sizes}")


def dense_output(example: Example, rng: Generator) -> None:
    """Dense output begins at x, ends at the step, and has the order that it says in between."""
    method: Discretization = example.map
    if method.dense_output is None:
        return
    lengths, errors, field = (0.4, 0.2, 0.1, 0.05), [], Field()
    s = np.array([0.0, 0.3, 0.7, 1.0])
    for h in lengths:
        u = stage_control(method, T, h)
        inside = method.dense_output(field, T, h, X, u, s)
        require(inside.shape == (4, *X.shape), f"dense output has the shape {inside.shape}")
        close("dense output at 0", inside[0], X, 1e-13)
        close("dense output at 1", inside[-1], method.step(field, T, h, X, u), 1e-13)
        exact = np.stack([reference(field, T, 0.3 * h), reference(field, T, 0.7 * h)])
        errors.append(float(np.linalg.norm(inside[1:3] - exact)))
    found, expected = slope(lengths, errors), method.dense_order + 1
    if found is not None and found < expected - 0.5:
        fail(f"the local error of the dense output is of order {found:.2f}, not {expected}")


def retreat(example: Example, rng: Generator) -> None:
    """retreat undoes a step, to rounding."""
    method: Discretization = example.map
    if method.retreat is None:
        return
    for field in fields(example):
        u = stage_control(method, T, 0.2)
        y = method.step(field, T, 0.2, X, u)
        close("retreat of the step", method.retreat(field, T, 0.2, y, u), X, 1e-13)


CHECKS = (
    declared,
    observed_order,
    backward_order,
    cost_order,
    error_estimate,
    dense_output,
    retreat,
)
