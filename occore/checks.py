"""Derivative checks: the transpose identity and Taylor remainders, on any map and any problem.

    ⟨py, J d⟩ = ⟨Jᵀ py, d⟩                                        to rounding
    ‖y(ε d) − y − ε J d‖ = O(ε²)                                  slope 2
    ⟨py, y(ε d) − y⟩ − ε ⟨py, J d⟩ − ½ ε² ⟨d, H d⟩ = O(ε³)        slope 3

A slope is fitted over all steps ε at which the remainder stands clear of rounding; where it never
does, as for a linear map, the verdict is 'at rounding', which passes.

A map with kinks, such as a layer with relu, has no such slopes: among thousands of entries some
cross a kink at every step that stands clear of rounding. Difference quotients with steps so small
that none need be crossed take their place, at states that lie on no kink:

    ‖(y(ε d) − y(−ε d))/2ε − J d‖ ≤ 1e-6 ‖J d‖            the best of a few steps and directions
    the same of d ↦ J(ε d)ᵀ py, which has the derivative H d
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from occore.adjoint import March
from occore.arrays import Array, Controls, dot, is_sparse
from occore.errors import ComputationError
from occore.hybrid_linearization import EventMarch
from occore.hybrid_march import without_horizon
from occore.linearization import Linearization
from occore.phase import Phase
from occore.problem import Problem

STEPS = 10.0 ** -np.arange(1.0, 7.0, 0.25)
SAMPLES = 8
MOST_STEPS = 512
"""Steps of a phase that is checked on its own; a longer one is checked within the objective."""

MOST_ENTRIES = 2**24
"""Entries that sparse inputs may have when they are filled in."""

DIRECTIONS = 3
"""Directions of a Taylor test, at most: along one in a hundred the leading term happens to vanish,
while a wrong derivative fails along all of them."""


QUOTIENT_STEPS = (1e-5, 1e-6, 1e-7)
QUOTIENT_ERROR = 1e-6
OFF_TIES = 1e-2
"""How far the states before a layer with kinks are moved at random, since they may be tied."""


class CheckFailed(ComputationError):
    """A derivative is wrong; the message holds the rows that failed."""


@dataclass(frozen=True)
class CheckRow:
    """One line of the table: what was checked, the number, what it must be, and the verdict."""

    subject: str
    check: str
    value: float
    expected: str
    verdict: str

    @property
    def failed(self) -> bool:
        """Whether the check found a wrong derivative."""
        return self.verdict == "FAIL"


@dataclass(frozen=True)
class Differentiable:
    """A map y(x, u) as the checks see it."""

    subject: str
    value: Callable[[Array, Controls], Array]
    linearize: Callable[[Array, Controls], tuple[Array, Linearization]]
    x: Array
    u: Controls
    kinks: bool = False
    """Whether there are points without a derivative near (x, u)."""


def check_map(target: Differentiable, rng: np.random.Generator) -> list[CheckRow]:
    """The rows of one map: value, transpose, first and, with a curvature, second derivative."""
    x, u = target.x, target.u
    before = x.copy(), {name: value.copy() for name, value in u.items()}
    y, linearization = target.linearize(x, u)
    dx, du = _random_like(x, rng), {name: _random_like(value, rng) for name, value in u.items()}
    py = _random_like(y, rng)
    dy = linearization.jvp(dx, du)
    px, pu = linearization.vjp(py)
    rows = [
        _same(target.subject, "value", y, target.value(x, u)),
        _transpose(target.subject, dy, py, (px, dx), (pu, du)),
    ]
    along = _quotients if target.kinks else _taylor
    derivatives = along(target, y, linearization, rng)
    for _ in range(DIRECTIONS - 1):
        if any(row.failed for row in derivatives):
            derivatives = along(target, y, linearization, rng)
    rows.extend(derivatives)
    rows.extend(_control_products(target.subject, linearization, dx, du, py))
    again = target.linearize(x, u)[1].vjp(py)
    unchanged = np.array_equal(x, before[0]) and all(np.array_equal(u[k], before[1][k]) for k in u)
    same = np.array_equal(again[0], px) and all(np.array_equal(again[1][k], pu[k]) for k in pu)
    verdict = "pass" if unchanged and same else "FAIL"
    rows.append(CheckRow(target.subject, "leaves no trace", 0.0, "unchanged", verdict))
    return rows


def _taylor(
    target: Differentiable, y: Array, linearization: Linearization, rng: np.random.Generator
) -> list[CheckRow]:
    """First and second Taylor test along one random direction."""
    x, u, subject = target.x, target.u, target.subject
    dx, du = _random_like(x, rng), {name: _random_like(value, rng) for name, value in u.items()}
    py = _random_like(y, rng)
    dy = linearization.jvp(dx, du)
    values = [target.value(_moved(x, e, dx), _moved_all(u, e, du)) for e in STEPS]
    remainders = [np.linalg.norm(v - y - e * dy) for v, e in zip(values, STEPS, strict=True)]
    size = max(float(np.linalg.norm(v)) for v in (y, values[0]))
    row = _slope(subject, "Taylor, first", remainders, 2, size)
    if linearization.curvature is None:
        return [row, CheckRow(subject, "Taylor, second", np.nan, "3.00 ± 0.05", "none")]
    hx, hu = linearization.curvature(py, dx, du)
    first, second = float(np.sum(py * dy)), float(np.sum(hx * dx)) + dot(hu, du)
    remainders = [
        abs(float(np.sum(py * (v - y))) - e * first - e**2 / 2 * second)
        for v, e in zip(values, STEPS, strict=True)
    ]
    scale = max(float(np.sum(np.abs(py * v))) for v in (y, values[0]))
    return [row, _slope(subject, "Taylor, second", remainders, 3, scale)]


def _quotients(
    target: Differentiable, y: Array, linearization: Linearization, rng: np.random.Generator
) -> list[CheckRow]:
    """First and second derivative along one random direction, by difference quotients."""
    x, u, subject = target.x, target.u, target.subject
    dx, du = _random_like(x, rng), {name: _random_like(value, rng) for name, value in u.items()}
    py = _random_like(y, rng)

    def adjoint(step: float) -> Array:
        return _flat(*target.linearize(_moved(x, step, dx), _moved_all(u, step, du))[1].vjp(py))

    def value(step: float) -> Array:
        return target.value(_moved(x, step, dx), _moved_all(u, step, du))

    row = _quotient(subject, "quotient, first", value, linearization.jvp(dx, du))
    if linearization.curvature is None:
        return [row, CheckRow(subject, "quotient, second", np.nan, "", "none")]
    second = _flat(*linearization.curvature(py, dx, du))
    return [row, _quotient(subject, "quotient, second", adjoint, second)]


def _quotient(
    subject: str, check: str, value: Callable[[float], Array], derivative: Array
) -> CheckRow:
    """The smallest relative error of central quotients; absolute for a derivative of zero."""
    errors = [
        float(np.linalg.norm((value(e) - value(-e)) / (2 * e) - derivative)) for e in QUOTIENT_STEPS
    ]
    error = min(errors) / (float(np.linalg.norm(derivative)) or 1.0)
    verdict = "pass" if error <= QUOTIENT_ERROR else "FAIL"
    return CheckRow(subject, check, error, f"≤ {QUOTIENT_ERROR:g}", verdict)


def _flat(x: Array, u: Controls) -> Array:
    return np.concatenate([np.ravel(x), *(np.ravel(u[name]) for name in sorted(u))])


def check_problem(problem: Problem, theta: Array, rng: np.random.Generator) -> list[CheckRow]:
    """The table of a problem at θ: its dynamics, steps and phases, then its gradient and Hessian.

    A few samples stand for all, since every product is a sum over samples. Sparse inputs are
    filled in, since a derivative along them must be right in every entry.
    """
    inputs = problem.data.inputs
    count = min(SAMPLES, problem.data.samples)
    if is_sparse(inputs):
        count = min(count, max(1, MOST_ENTRIES // inputs.shape[1]))
    data = problem.data.subset(np.arange(count)).astype(np.dtype(np.float64))
    if is_sparse(inputs):
        data = replace(data, inputs=data.inputs.toarray())
    problem, theta = replace(problem.uncounted, data=data), theta.astype(np.float64)
    problem = frozen(problem.smooth_part, theta)  # a kink has no derivative to be checked
    controls, x, rows = problem.unflatten(theta), problem.data.inputs, []
    for phase in problem.phases:
        u = {name: value.copy() for name, value in controls[phase.name].items()}
        at = x + OFF_TIES * _random_like(x, rng) if phase.dynamics.kinks else x
        for target in _maps(phase, at, u):
            rows.extend(check_map(replace(target, kinks=phase.dynamics.kinks), rng))
        x = phase(x, u)
    return rows + _check_objective(problem, theta, rng)


def frozen(problem: Problem, theta: Array) -> Problem:
    """The problem with the adaptive grids that it has at θ, whatever θ becomes."""
    controls, x, phases = problem.unflatten(theta), problem.data.inputs, []
    for phase in problem.phases:
        phases.append(phase.frozen(x, controls[phase.name]))
        x = phases[-1](x, controls[phase.name])
    return replace(problem, phases=tuple(phases))


def raise_on_failure(rows: list[CheckRow]) -> None:
    """Raise CheckFailed where a row failed."""
    failed = [
        f"{row.subject}: {row.check} is {row.value:.3g}, not {row.expected}"
        for row in rows
        if row.failed
    ]
    if failed:
        raise CheckFailed("; ".join(failed))


def _maps(phase: Phase, x: Array, u: Controls) -> Iterator[Differentiable]:
    """The dynamics of a phase, its first step, and the phase itself where it is integrated."""
    if phase.static:
        yield Differentiable(phase.name, phase, phase.linearize, x, u)
        return
    phase = phase.frozen(x, u)
    start, controls = phase.begin(x, u)
    march = phase.march(start, controls)
    dynamics, method = march.dynamics, march.discretization
    t, h = float(march.grid.times[0]), float(march.grid.lengths[0])
    control = {name: value.copy() for name, value in march.stages.controls(controls)[0].items()}
    instant = {name: value[0] for name, value in control.items()}
    yield Differentiable(
        f"{phase.name}: dynamics",
        lambda x, u: dynamics(t, x, u),
        lambda x, u: dynamics.linearize(t, x, u),
        start,
        instant,
    )
    yield Differentiable(
        f"{phase.name}: step",
        lambda x, u: method.step(dynamics, t, h, x, u),
        lambda x, u: method.linearize_step(dynamics, t, h, x, u),
        start,
        control,
    )
    yield from _event_maps(phase, march, start, controls, instant)
    if march.grid.steps <= MOST_STEPS:
        yield Differentiable(f"{phase.name}: all steps", phase, phase.linearize, x, u)


def _event_maps(
    phase: Phase, march: March, x: Array, u: Controls, instant: Controls
) -> Iterator[Differentiable]:
    """The condition and the reset of each event that happens, at the state where it does first."""
    route = EventMarch(march, phase.events)
    seen, hits = set[str](), route.happened(x, u) if phase.events else []
    known = {name: value.copy() for name, value in without_horizon(instant).items()}
    for hit in (hit for each in hits for hit in each):
        event, t, state = hit.event, hit.time, hit.before[None].copy()
        maps = {"condition": event.condition, "reset": event.reset}
        for part, owner in maps.items() if event.name not in seen else ():
            if owner is not None:
                yield Differentiable(
                    f"{phase.name}: {part} of {event.name}",
                    lambda x, u, t=t, owner=owner: owner(t, x, u),
                    lambda x, u, t=t, owner=owner: owner.linearize(t, x, u),
                    state,
                    known,
                )
        seen.add(event.name)


class _Gradient(Linearization):
    """A problem at one θ as a map from (no state, θ) to its value."""

    def __init__(self, problem: Problem, theta: Array) -> None:
        self.evaluation = problem.at(theta)
        self.gradient = self.evaluation.gradient()
        if self.evaluation.sweeps.second_order:
            self.curvature = self._curvature

    def jvp(self, dx: Array, du: Controls) -> Array:
        return np.array([self.gradient @ du["theta"]])

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        return np.zeros(0), {"theta": py[0] * self.gradient}

    def _curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        product = self.evaluation.hessian_product(du["theta"])
        return np.zeros(0), {"theta": py[0] * product}


def _check_objective(problem: Problem, theta: Array, rng: np.random.Generator) -> list[CheckRow]:
    """The gradient and the Hessian of J."""

    def linearize(x: Array, u: Controls) -> tuple[Array, Linearization]:
        return np.array([problem.value(u["theta"])]), _Gradient(problem, u["theta"])

    def value(x: Array, u: Controls) -> Array:
        return np.array([problem.value(u["theta"])])

    kinks = any(phase.dynamics.kinks for phase in problem.phases)
    point = {"theta": theta.copy()}
    target = Differentiable("objective", value, linearize, np.zeros(0), point, kinks)
    return check_map(target, rng)


def _control_products(
    subject: str, part: Linearization, dx: Array, du: Controls, py: Array
) -> list[CheckRow]:
    """Whether the products with a held state are those of the full ones."""
    rows = []
    if part.control_jvp is not None:
        full = part.jvp(0 * dx, du)
        rows.append(_same(subject, "tangent of controls", full, part.control_jvp(du)))
    if part.control_vjp is not None:
        none = np.zeros(0)
        full, found = (_flat(none, p) for p in (part.vjp(py)[1], part.control_vjp(py)))
        rows.append(_same(subject, "adjoint of controls", full, found))
    return rows


def _random_like(a: Array, rng: np.random.Generator) -> Array:
    return rng.standard_normal(np.shape(a)).astype(a.dtype)


def _moved(x: Array, step: float, dx: Array) -> Array:
    return x + step * dx


def _moved_all(u: Controls, step: float, du: Controls) -> Controls:
    return {name: _moved(value, step, du[name]) for name, value in u.items()}


def _same(subject: str, check: str, a: Array, b: Array) -> CheckRow:
    """Whether a linearization's value is that of the plain call, to rounding."""
    error = float(np.linalg.norm(a - b) / (np.linalg.norm(a) + np.finfo(float).tiny))
    return CheckRow(subject, check, error, "≤ 1e-13", "pass" if error <= 1e-13 else "FAIL")


def _transpose(
    subject: str, dy: Array, py: Array, state: tuple[Array, Array], controls: tuple[Controls, Any]
) -> CheckRow:
    (px, dx), (pu, du) = state, controls
    left = float(np.sum(py * dy))
    right = float(np.sum(px * dx)) + dot(pu, du)
    terms = [np.sum(np.abs(px * dx)), *(np.sum(np.abs(pu[name] * du[name])) for name in pu)]
    scale = float(np.sum(np.abs(py * dy)) + sum(terms)) + np.finfo(float).tiny
    error = abs(left - right) / scale
    return CheckRow(subject, "transpose", error, "≤ 1e-13", "pass" if error <= 1e-13 else "FAIL")


def _slope(subject: str, check: str, remainders: list[Any], order: int, scale: float) -> CheckRow:
    """The slope of log remainder over log step, in the range that the leading term rules.

    Rounding leaves errors of about ε_machine ‖y‖, or more where y itself cancels, which the
    smallest remainder shows; a factor 100 above both leaves about 1 % of noise. Of the steps that
    stand clear only the smallest count, some three decades (two for order 3). The next term of the
    expansion still bends the line at the largest of them, so it is fitted as well:
    log r = slope · log ε + constant + bend · ε.
    """
    tolerance, points = (0.02, 13) if order == 2 else (0.05, 9)
    expected = f"{order:.2f} ± {tolerance:.2f}"
    r = np.asarray(remainders, float)
    if not np.all(np.isfinite(r)):
        return CheckRow(subject, check, np.nan, expected, "FAIL")
    rounding = 1e3 * np.finfo(float).eps * (scale + np.finfo(float).tiny)
    floor = max(rounding / 10, 100 * float(np.min(r)))
    clear = int(np.argmax(np.append(r, 0.0) <= floor))
    if r[0] <= rounding or clear < 5:
        return CheckRow(subject, check, float(order), expected, "at rounding")
    window = slice(max(0, clear - points), clear)
    steps = STEPS[window]
    terms = np.stack([np.log(steps), np.ones_like(steps), steps], axis=1)
    slope = float(np.linalg.lstsq(terms, np.log(r[window]), rcond=None)[0][0])
    verdict = "pass" if abs(slope - order) <= tolerance else "FAIL"
    return CheckRow(subject, check, slope, expected, verdict)
