"""Adaptive steps: the grid that a tolerance asks for, which is then frozen for every derivative.

    err = max over samples of ‖e / (atol + rtol max(|x_k|, |x_{k+1}|))‖_rms,    accepted if err ≤ 1
    h ← h · 0.9 · err^(−0.7/q) · err_old^(0.4/q),    q = error order + 1

PI control after Hairer and Wanner II, section IV.2 (Gustafsson). Components that only integrate a
cost stay out of the norm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from occore.arrays import Array, Controls
from occore.discretization import Discretization
from occore.dynamics import Dynamics
from occore.errors import ComputationError, InputError
from occore.grid import Grid


@dataclass(frozen=True)
class Tolerances:
    """What steps are accepted; rtol relative, atol in the unit of the state."""

    rtol: float = 1e-6
    atol: float = 1e-9
    first_step: float | None = None
    max_steps: int = 100_000


@dataclass
class StepLog:
    """Steps that were accepted and rejected, over all adaptive sweeps."""

    accepted: int = 0
    rejected: int = 0
    lengths: list[float] = field(default_factory=list)


ControlAt = Callable[[float, float], Controls]
"""The stage controls of a step from t over h."""


def adapt(
    dynamics: Dynamics,
    method: Discretization,
    tolerances: Tolerances,
    x: Array,
    control: ControlAt,
    stops: Array,
    log: StepLog,
) -> Grid:
    """The accepted grid from stops[0] to stops[-1]; every stop is hit exactly.

    x: (samples, *state_shape) at stops[0]. stops: times in order, where the controls have jumps or
    states are observed. Raises InputError where the method estimates no error, ComputationError
    with the history of steps where they become too small or too many.
    """
    if method.step_with_error is None:
        raise InputError(
            f"{type(method).__name__} estimates no error: give steps, or choose a method with "
            "adaptive steps, such as dopri5"
        )
    direction = np.sign(stops[-1] - stops[0])
    q, old = method.error_order + 1, 1.0
    t, times = float(stops[0]), [float(stops[0])]
    log.lengths.clear()
    h = direction * (tolerances.first_step or _first_step(dynamics, t, x, control, stops, q))
    for stop in map(float, stops[1:]):
        while direction * (stop - t) > 0:
            last = direction * (t + 1.01 * h - stop) >= 0
            step = stop - t if last else h
            new, error = method.step_with_error(dynamics, t, step, x, control(t, step))
            err = _norm(error, x, new, tolerances, dynamics.quadratures)
            factor = (
                0.2
                if not np.isfinite(err)
                else np.clip(0.9 * max(err, 1e-10) ** (-0.7 / q) * old ** (0.4 / q), 0.2, 5.0)
            )
            if err <= 1:
                t = stop if last else t + step
                x, old = new, max(err, 1e-4)
                times.append(t)
                log.accepted += 1
                log.lengths.append(step)
                h = h if last and factor >= 1 else factor * step
            else:
                log.rejected += 1
                h = min(factor, 0.9) * step
            if abs(h) < 16 * np.finfo(float).eps * abs(t) or len(times) > tolerances.max_steps:
                raise ComputationError(_failure(dynamics, method, t, x, h, control, log, times))
    return Grid.of(np.asarray(times))


def _norm(error: Array, x: Array, new: Array, tolerances: Tolerances, quadratures: int) -> float:
    scale = tolerances.atol + tolerances.rtol * np.maximum(np.abs(x), np.abs(new))
    ratio = (error / scale).reshape(len(x), -1)
    if quadratures:
        ratio = ratio[:, :-quadratures]
    return float(np.max(np.sqrt(np.mean(ratio**2, axis=1)), initial=0.0))


def _first_step(
    dynamics: Dynamics, t: float, x: Array, control: ControlAt, stops: Array, q: int
) -> float:
    """A hundredth of the time scale |x| / |f|; the controller mends it in a few steps."""
    span = abs(float(stops[-1] - stops[0]))
    u = {name: value[0] for name, value in control(t, 1e-6 * span).items()}
    size, speed = np.linalg.norm(x), np.linalg.norm(dynamics(t, x, u))
    step = 0.01 * (size + 1e-6) / speed if speed > 0 else 0.01 * span
    return float(min(step, 0.1 * span))


def _failure(
    dynamics: Dynamics,
    method: Discretization,
    t: float,
    x: Array,
    h: float,
    control: ControlAt,
    log: StepLog,
    times: list[float],
) -> str:
    """What happened, the last steps, an estimate of the stiffness, and what would serve."""
    u = {name: value[0] for name, value in control(t, h).items()}
    f, part = dynamics.linearize(t, x, u)
    v, rate = f / (np.linalg.norm(f) or 1.0), 0.0
    for _ in range(10):  # power iteration: the modulus of the largest eigenvalue of f_x
        w = part.jvp(v, {name: 0 * value for name, value in u.items()})
        rate = float(np.linalg.norm(w))
        v = w / (rate or 1.0)
    lengths = ", ".join(f"{length:.2g}" for length in log.lengths[-5:]) or "none accepted"
    return (
        f"adaptive steps of {type(method).__name__} end at t = {t:.8g} after {len(times) - 1} "
        f"steps ({log.rejected} rejected; last lengths {lengths}; next {h:.2g}). The field changes "
        f"at a rate of about {rate:.2g} there. If the problem is stiff, use an implicit method "
        "with fixed steps (sdirk3, trapezoid, rosenbrock); else look for a blow-up of the solution "
        "or an undeclared switch"
    )
