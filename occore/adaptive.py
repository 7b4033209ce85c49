"""Adaptive steps: the grid that a tolerance asks for, which is then frozen for every derivative.

    err = max over samples of ‖e / (atol + rtol max(|x_k|, |x_{k+1}|))‖_rms,    accepted if err ≤ 1
    h ← h · 0.9 · err^(−0.7/q) · err_old^(0.4/q),    q = error order + 1
    h ← h · 0.9 · err^(−1/q) after a rejection, and no growth in the step after it

PI control after Hairer and Wanner II, section IV.2 (Gustafsson); first step in the way of
Hairer, Nørsett and Wanner I, section II.4. Components that only integrate a cost stay out of all
norms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from occore.arrays import Array, Controls
from occore.discretization import Discretization
from occore.dynamics import Dynamics
from occore.errors import ComputationError, InputError
from occore.grid import Grid
from occore.stiffness import diagnose


@dataclass(frozen=True)
class Tolerances:
    """What steps are accepted; rtol relative, atol in the unit of the state."""

    rtol: float = 1e-6
    atol: float = 1e-9
    first_step: float | None = None
    max_steps: int = 100_000


@dataclass
class StepLog:
    """Steps that were accepted and rejected, over all adaptive sweeps; the grid of the last one."""

    accepted: int = 0
    rejected: int = 0
    lengths: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)


ControlAt = Callable[[float, float], Controls]
"""The stage controls of a step from t over h."""

Interrupt = Callable[[float, float, Array, Array], tuple[float, Array, bool] | None]
"""Whether something happens in a step from t over h, x to y: when, the state then, if it ends."""


@dataclass
class StepControl:
    """The controller's memory: err_old, and whether the last step was rejected."""

    q: int
    old: float = 1.0
    rejected: bool = False

    def accept(self, err: float) -> float:
        """The factor of the next step after an accepted one."""
        size = max(err, 1e-10)
        factor = 0.9 * size ** (-0.7 / self.q) * self.old ** (0.4 / self.q)
        most = 1.0 if self.rejected else 5.0
        self.old, self.rejected = max(err, 1e-4), False
        return float(np.clip(factor, 0.2, most))

    def reject(self, err: float) -> float:
        """The factor for another attempt; err may be infinite or NaN."""
        self.rejected = True
        return float(np.clip(0.9 * err ** (-1 / self.q), 0.2, 0.9)) if np.isfinite(err) else 0.2


def adapt(
    dynamics: Dynamics,
    method: Discretization,
    tolerances: Tolerances,
    x: Array,
    control: ControlAt,
    spans: Sequence[tuple[float, float]],
    log: StepLog,
    interrupt: Interrupt | None = None,
) -> Grid:
    """The accepted grid over the spans of time, one after the other; their ends are hit exactly.

    x: (samples, *state_shape) at the first start. Spans end where the controls or the field jump or
    states are observed. Where `interrupt` finds an event in a step, the steps go on from there to
    the end of that step, which stays a node; the event is none. Raises InputError where the method
    estimates no error or the precision of x is too low, ComputationError with the history of steps
    where they become too small or too many.
    """
    _require(method, tolerances, x)
    assert method.step_with_error is not None, "just asked for"  # noqa: S101
    span = spans[-1][1] - spans[0][0]
    direction = 1.0 if span > 0 else -1.0
    controller = StepControl(method.error_order + 1)
    t, times = spans[0][0], [spans[0][0]]
    log.lengths, log.times = [], times
    norm = _Norm(tolerances, dynamics.quadratures)
    first = tolerances.first_step or _first_step(dynamics, t, x, control, span, controller.q, norm)
    h = direction * first
    for begin, end in spans:
        t, ends = begin, [end]
        while ends:
            stop = ends[-1]
            if direction * (stop - t) <= 0:
                ends.pop()
                continue
            small = abs(h) < 16 * np.finfo(float).eps * abs(t) or t + h == t
            if small or len(log.lengths) >= tolerances.max_steps:
                u = {name: value[0] for name, value in control(t, h).items()}
                raise ComputationError(diagnose(dynamics, method, t, x, u, h, log, span))
            last = direction * (t + 1.01 * h - stop) >= 0
            step = stop - t if last else h
            new, err = _attempt(method, dynamics, t, step, x, control, norm)
            if not err <= 1:
                log.rejected += 1
                h = controller.reject(err) * step
                continue
            log.accepted += 1
            log.lengths.append(step)
            factor = controller.accept(err)
            h = h if last and factor >= 1 else factor * step
            after = stop if last else t + step
            hit = None if interrupt is None else interrupt(t, step, x, new)
            if hit is None:
                t, x = after, new
                times.append(t)
                continue
            if not last:
                ends.append(after)
            t, x, final = hit
            if final:
                return Grid.of(np.array([*times, *ends[::-1], *_later(spans, end)]))
    return Grid.of(np.asarray(times))


def _require(method: Discretization, tolerances: Tolerances, x: Array) -> None:
    if method.step_with_error is None:
        raise InputError(
            f"{type(method).__name__} estimates no error: give steps, or choose a method with "
            "adaptive steps, such as dopri5"
        )
    least = 10 * float(np.finfo(x.dtype).eps)
    if tolerances.rtol < least:
        raise InputError(
            f"rtol = {tolerances.rtol:.2g} is below what {x.dtype} can tell apart; take at least "
            f"{least:.1g}, or a higher precision"
        )


def _later(spans: Sequence[tuple[float, float]], end: float) -> list[float]:
    return [stop for _, stop in spans if abs(stop - spans[0][0]) > abs(end - spans[0][0])]


def _attempt(
    method: Discretization,
    dynamics: Dynamics,
    t: float,
    step: float,
    x: Array,
    control: ControlAt,
    norm: _Norm,
) -> tuple[Array, float]:
    """A step and its error; infinite where an implicit step finds no solution.

    A step that is far too long may overflow: that is a reason to reject it, not to warn.
    """
    assert method.step_with_error is not None, "asked for before"  # noqa: S101
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        try:
            new, error = method.step_with_error(dynamics, t, step, x, control(t, step))
        except ComputationError:
            return x, np.inf
        return new, float(np.max(norm(error, np.maximum(np.abs(x), np.abs(new))), initial=0.0))


@dataclass(frozen=True)
class _Norm:
    """‖e / (atol + rtol |x|)‖_rms of each sample, without the quadratures."""

    tolerances: Tolerances
    quadratures: int

    def __call__(self, e: Array, size: Array) -> Array:
        scale = self.tolerances.atol + self.tolerances.rtol * size
        ratio = (e / np.maximum(scale, np.finfo(scale.dtype).tiny)).reshape(len(e), -1)
        states = ratio[:, : ratio.shape[1] - self.quadratures]
        return np.sqrt(np.mean(states**2, axis=1))


def _first_step(
    dynamics: Dynamics, t: float, x: Array, control: ControlAt, span: float, q: int, norm: _Norm
) -> float:
    """The length at which an error of order q is about 1 %, for the sample that needs the least.

    d0, d1, d2: sizes of x, of its rate and of its second derivative, from an Euler step over h0.
    With the rate r = d2 / d1 the error is about d1 / r (h r)^q; unlike the formula of the book,
    this does not depend on the unit of time.
    """
    length, sign = abs(span), 1.0 if span > 0 else -1.0
    u = {name: value[0] for name, value in control(t, 1e-6 * span).items()}
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        f0, size = dynamics(t, x, u), np.abs(x)
        d0, d1 = norm(x, size), norm(f0, size)
        still = np.minimum(d0, d1 * length) < 1e-5
        h0 = min(float(np.min(np.where(still, 1e-6 * length, 0.01 * d0 / d1))), length)
        d2 = norm(dynamics(t + sign * h0, x + sign * h0 * f0, u) - f0, size) / h0
        rate = d2 / d1
        h1 = (0.01 * rate / d1) ** (1 / q) / rate
        h1 = np.where(np.isfinite(h1), h1, np.where(d2 > 0, np.sqrt(0.01 / d2), 100 * h0))
    least = float(np.min(h1))
    return min(100 * h0, least if np.isfinite(least) else h0, length)
