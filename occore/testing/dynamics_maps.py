"""A dynamics as a map, and whole solves of it: everything that is true of every map."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from occore.arrays import Array, Controls
from occore.checks import CheckFailed
from occore.dynamics import Dynamics
from occore.example import Example
from occore.linearization import Linearization
from occore.phase import Phase
from occore.symbolic.derivation import traced
from occore.testing import namespaces
from occore.testing.comparison import EXACT, close, identical, require
from occore.testing.maps import MAP_CHECKS, named
from occore.testing.models import Midpoint, Ramp
from occore.testing.points import Generator, near_controls, near_samples
from occore.testing.samples import SAMPLE_CHECKS, behind_the_first, coupled, one_by_one
from occore.testing.target import Target, draw
from occore.testing.variants import describe, variants
from occore.time_control import TIME, without_time

TIMES = (0.0, 0.7)
"""Times at which a dynamics is tried: one where terms in t may vanish, one like any other."""


def at_time(example: Example, t: float) -> Target:
    """f(t, ·, ·) near the example."""
    f: Dynamics = example.map
    start = {name: _start(example, name, shape) for name, shape in f.controls.shapes.items()}
    return Target(
        f"{describe(example)}, t = {t:g}",
        lambda x, u: f(t, x, u),
        lambda x, u: f.linearize(t, x, u),
        lambda rng, samples: (near_samples(example.x, samples, rng), near_controls(start, rng)),
    )


def _start(example: Example, name: str, shape: tuple[int, ...]) -> Array:
    """The control of the example; zeros for one that another option has brought."""
    given = (example.u or {}).get(name)
    return np.zeros(shape) if given is None or np.shape(given) != shape else np.asarray(given)


def traced_products(example: Example, rng: Generator) -> None:
    """The products are those that SymPy derives from the traced formula, at several points."""
    shape = np.shape(example.x)[1:]
    for other in variants(example):
        for t in TIMES:
            target = at_time(other, t)
            namespaces.traced_products(target, lambda f=other.map, t=t: traced(f, t, shape), rng)


def strict_namespace(example: Example, rng: Generator) -> None:
    """The code needs nothing but the Array API."""
    for other in variants(example):
        namespaces.strict_namespace(at_time(other, TIMES[1]), rng)


def whole_solve(example: Example, rng: Generator) -> None:
    """Four steps of the midpoint rule, where f can be integrated: transpose and Taylor tests."""
    f: Dynamics = example.map
    shape = np.shape(example.x)[1:]
    if tuple(f.output_shape or shape) != shape:
        return
    phase = Phase(type(f).__name__, f, Midpoint(), 4, 0.25, space=Ramp())

    def point(rng: Generator, samples: int):
        ends = near_controls(example.u or {}, rng), near_controls(example.u or {}, rng)
        u = {
            name: ends[0][name] if name in f.constants else np.stack([e[name] for e in ends])
            for name in f.controls
        }
        return near_samples(example.x, samples, rng), u

    target = Target(f"{type(f).__name__}, solve", phase, phase.linearize, point)
    for check in (MAP_CHECKS[0], MAP_CHECKS[1]):
        check(target, rng)


def initial_controls(example: Example, rng: Generator) -> None:
    """Of the shapes of the layout, finite, and drawn from the given generator alone."""
    f: Dynamics = example.map
    before = str(np.random.get_state())  # noqa: NPY002 - to see that nobody uses it
    draws = [f.initial_controls(np.random.default_rng(seed)) for seed in (5, 5)]
    require(
        str(np.random.get_state()) == before,  # noqa: NPY002
        "initial_controls draws from NumPy's global generator, not from rng",
    )
    shapes = {name: np.shape(value) for name, value in draws[0].items()}
    require(
        shapes == dict(f.controls.shapes),
        f"initial_controls gives {shapes}, the layout is {dict(f.controls.shapes)}",
    )
    identical("initial_controls of one seed", draws[1], draws[0])
    require(
        all(np.all(np.isfinite(v)) for v in draws[0].values()), "an initial control is no number"
    )


def time_derivative(example: Example, rng: Generator) -> None:
    """The whole ladder with t among the controls, of a dynamics that offers it."""
    f: Dynamics = example.map
    if f.linearize_in_time is None:
        return
    in_time = f.linearize_in_time

    def value(x: Array, u: Controls) -> Array:
        return f(u[TIME].item(), x, without_time(u))

    def linearize(x: Array, u: Controls) -> tuple[Array, Linearization]:
        return in_time(u[TIME].item(), x, without_time(u))

    def point(rng: Generator, samples: int) -> tuple[Array, Controls]:
        time = np.asarray(TIMES[1] + 0.1 * rng.random())
        x, u = near_samples(example.x, samples, rng), near_controls(example.u or {}, rng)
        return x, {**u, TIME: time}

    target = Target(f"{type(f).__name__}, in time", value, linearize, point)
    for check in MAP_CHECKS:
        check(target, rng)


def splitting(example: Example, rng: Generator) -> None:
    """Both parts add up to f and take its controls; the linear part is a square matrix."""
    f, t = example.map, TIMES[1]
    at = draw(at_time(example, t), rng)
    if f.splitting is not None:
        parts = f.splitting()
        for part in parts:
            require(dict(part.controls.shapes) == dict(f.controls.shapes), "controls of a part")
        close("sum of the splitting", sum(part(t, at.x, at.u) for part in parts), at.y, EXACT)
    if f.linear_part is not None:
        n = int(np.prod(np.shape(example.x)[1:]))
        require(np.shape(f.linear_part()) == (n, n), f"linear_part is not of the shape {(n, n)}")


def quadratures(example: Example, rng: Generator) -> None:
    """Trailing entries that only integrate a cost do not enter f."""
    f: Dynamics = example.map
    if not f.quadratures:
        return
    at = draw(at_time(example, TIMES[1]), rng)
    dx = 0 * at.x
    dx[:, -f.quadratures :] = 1.0
    still = {name: 0 * value for name, value in at.u.items()}
    if np.any(at.part.jvp(dx, still) != 0):
        raise CheckFailed(f"f depends on the last {f.quadratures} entries, said to be quadratures")


def coupled_samples(example: Example, rng: Generator) -> None:
    """Samples that are said to be coupled are, and `coupled_by_first` passes the whole ladder."""
    for other in variants(example):
        f: Dynamics = other.map
        if not f.couples_samples:
            return
        whole = at_time(other, TIMES[1])
        coupled(whole, rng)
        if f.coupled_by_first is None:
            raise CheckFailed(f"{whole.subject}: samples are coupled; add coupled_by_first")
        # one of the two samples that most checks draw comes behind
        first = at_time(replace(other, map=f.coupled_by_first(1)), TIMES[1])
        behind_the_first(whole, first, 1, rng)
        for check in MAP_CHECKS:
            check(first, rng)


def _at_both_times(check):
    def at_both(example: Example, rng: Generator) -> None:
        for other in variants(example):
            for t in TIMES:
                if check is not one_by_one or not other.map.couples_samples:
                    check(at_time(other, t), rng)

    return named(at_both, check)


CHECKS = (
    traced_products,
    strict_namespace,
    *(_at_both_times(check) for check in (*MAP_CHECKS, *SAMPLE_CHECKS)),
    coupled_samples,
    whole_solve,
    initial_controls,
    time_derivative,
    splitting,
    quadratures,
)
