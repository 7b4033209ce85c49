"""Every kind of objective as maps: J is y(x, u) of shape (1,), with p · gradient as its adjoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from occore.arrays import Array, Controls, array_namespace
from occore.example import Example
from occore.layout import Layout
from occore.linearization import Linearization, Products
from occore.objective import (
    ControlObjective,
    EndObjective,
    ObjectiveLinearization,
    PhaseControls,
    RunningObjective,
    TerminalObjective,
)
from occore.phase import Phase
from occore.testing.models import Midpoint, Ramp
from occore.testing.points import Generator, near, near_controls, near_samples
from occore.testing.target import Target

Point = tuple[Array, Controls]


@dataclass(frozen=True)
class Scalar:
    """A term as a map of (x, u), and how its own points and directions are written there."""

    target: Target
    linearize: Callable[[Array, Controls], tuple[Array, ObjectiveLinearization]]
    join: Callable[[Any, Array, Controls], Point]
    """join(product, x, u): a product of the term as (px, pu), zero where it has no entry."""
    split: Callable[[Array, Controls], Any]
    """split(dx, du): a direction as the term takes it."""


def scalars(example: Example) -> Iterator[Scalar]:
    """The terms of an objective that are scalars."""
    for term, phase in _terms(example):
        if isinstance(term, TerminalObjective):
            yield _terminal(term, example)
        elif isinstance(term, ControlObjective):
            yield _of_controls(term, {p: dict(named) for p, named in example.u.items()})
        elif isinstance(term, EndObjective):
            yield _end(term, example, phase)


def rates(example: Example) -> Iterator[Target]:
    """The running terms of an objective."""
    for term, phase in _terms(example):
        if isinstance(term, RunningObjective):
            name, start = type(term).__name__, _start_controls(phase.dynamics.controls, example.u)
            for t in (0.0, 0.7):
                yield Target(
                    f"{name}, t = {t:g}",
                    lambda x, u, f=term, t=t: f(t, x, u),
                    lambda x, u, f=term, t=t: f.linearize(t, x, u),
                    lambda rng, samples, start=start: (
                        near_samples(example.x, samples, rng),
                        near_controls(start, rng),
                    ),
                )


def _terms(example: Example) -> Iterator[tuple[Any, Any]]:
    """Each term with its phase, for a given and for a free start and horizon."""
    if example.dynamics is None:
        yield from ((term, None) for _, term in example.map.terms)
        return
    phase = Phase("march", example.dynamics, Midpoint(), 2, space=Ramp())
    free = np.ones(np.shape(example.x)[1:], bool)
    freed = replace(phase, free_start=free, free_horizon=example.dynamics.autonomous)
    for owner in (phase, freed):
        yield from ((term, owner) for _, term in example.map.for_phases((owner,)).terms)


def _start_controls(layout: Layout, given: Any) -> Controls:
    return {name: (given or {}).get(name, np.zeros(s)) for name, s in layout.shapes.items()}


def _as_map(linearize: Any, join: Any, split: Any) -> Any:
    """The linearization of a scalar term as that of a map with a value (1,)."""

    def of(x: Array, u: Controls) -> tuple[Array, Linearization]:
        value, part = linearize(x, u)
        xp = array_namespace(value)

        def weighted(py: Array, product: Any) -> Point:
            px, pu = join(product, x, u)
            return py[0] * px, {name: py[0] * p for name, p in pu.items()}

        def jvp(dx: Array, du: Controls) -> Array:
            gx, gu = join(part.gradient(), x, u)
            total = xp.sum(gx * dx) + sum(xp.sum(gu[name] * du[name]) for name in gu)
            return xp.reshape(total, (1,))

        return xp.reshape(xp.asarray(value), (1,)), Products(
            jvp,
            lambda py: weighted(py, part.gradient()),
            lambda py, dx, du: weighted(py, part.hessian_product(split(dx, du))),
        )

    return of


def _scalar(name: str, value: Any, linearize: Any, join: Any, split: Any, point: Any) -> Scalar:
    def plain(x: Array, u: Controls) -> Array:
        found = value(x, u)
        xp = array_namespace(found)
        return xp.reshape(xp.asarray(found), (1,))

    target = Target(name, plain, _as_map(linearize, join, split), point)
    return Scalar(target, linearize, join, split)


def _terminal(term: TerminalObjective, example: Example) -> Scalar:
    def target(x: Array) -> Array:
        return array_namespace(x).asarray(repeated_targets(example, x.shape[0]), dtype=_real(x))

    return _scalar(
        type(term).__name__,
        lambda x, u: term(x, target(x)),
        lambda x, u: term.linearize(x, target(x)),
        lambda product, x, u: (product, {}),
        lambda dx, du: dx,
        lambda rng, samples: (near_samples(example.x, samples, rng), {}),
    )


def repeated_targets(example: Example, samples: int) -> Array:
    """Targets of the example, in turn."""
    target = np.asarray(example.target, float)
    return target[np.arange(samples) % len(target)]


def _real(x: Array) -> Any:
    return x.dtype if array_namespace(x) is not np else np.real(x).dtype


def _of_controls(term: ControlObjective, start: dict[str, Any]) -> Scalar:
    def point(rng: Generator, samples: int) -> Point:
        u = {f"{p}/{n}": near(v, rng) for p, named in start.items() for n, v in named.items()}
        return np.zeros(0), u

    return _scalar(
        type(term).__name__,
        lambda x, u: term(nested(u)),
        lambda x, u: term.linearize(nested(u)),
        lambda product, x, u: (0 * x, _flat(product, u)),
        lambda dx, du: nested(du),
        point,
    )


def _end(term: EndObjective, example: Example, phase: Phase) -> Scalar:
    def inputs(x: Array) -> Array:
        rows = np.asarray(example.x, float)
        return rows[np.arange(len(x)) % len(rows)].astype(np.real(x).dtype)

    def point(rng: Generator, samples: int) -> Point:
        start = phase.initial_controls(rng)
        u = {f"{phase.name}/{name}": near(value, rng) for name, value in start.items()}
        return near_samples(example.x, samples, rng), u

    return _scalar(
        type(term).__name__,
        lambda x, u: term(inputs(x), x, nested(u) or {phase.name: {}}),
        lambda x, u: term.linearize(inputs(x), x, nested(u) or {phase.name: {}}),
        lambda product, x, u: (product[0], _flat(product[1], u)),
        lambda dx, du: (dx, nested(du) or {phase.name: {}}),
        point,
    )


def nested(u: Controls) -> PhaseControls:
    """Controls of each phase, from paths."""
    result: PhaseControls = {}
    for path, value in u.items():
        phase, _, name = path.partition("/")
        result.setdefault(phase, {})[name] = value
    return result


def _flat(product: PhaseControls, u: Controls) -> Controls:
    """By path, with zeros for what a product leaves out."""
    found = {f"{p}/{name}": v for p, named in product.items() for name, v in named.items()}
    return {path: found.pop(path, 0 * value) for path, value in u.items()} | found
