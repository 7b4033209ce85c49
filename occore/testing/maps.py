"""Checks of any map y(x, u) with a linearization: a dynamics, a step, a whole solve, an objective.

A check is a function (target, rng). Where a tolerance comes from is written in docs/testing.md.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from occore.checks import Differentiable, check_map, raise_on_failure
from occore.testing.comparison import EXACT, agree, close, identical, require
from occore.testing.points import Generator, cast, copied, like, moved
from occore.testing.second_order import joint_second_order, symmetric_curvature
from occore.testing.target import Drawn, Target, draw, products

SINGLE = 1e-5
COMPLEX_STEP = 1e-30

MapCheck = Callable[[Target, Generator], None]


def shapes(target: Target, rng: Generator) -> None:
    """jvp is like y, px like x, pu has the names and shapes of u, also where u is not used."""
    for samples in (1, 2, 5):
        at = draw(target, rng, samples)
        expected = {"jvp": np.shape(at.y)}
        found = {name: np.shape(p) for name, p in at.products().items()}
        for product in ("vjp", "curvature"):
            if f"{product} x" in found:
                expected |= {f"{product} x": np.shape(at.x)}
                expected |= {f"{product} u {name}": np.shape(v) for name, v in at.u.items()}
        if "control_jvp" in found:
            expected["control_jvp"] = expected["jvp"]
        if at.part.control_vjp is not None:
            expected |= {f"control_vjp u {name}": np.shape(v) for name, v in at.u.items()}
        require(
            found == expected,
            f"{target.subject}, {samples} samples: products of the shapes {found}, "
            f"expected {expected}",
        )


def transpose_and_taylor(target: Target, rng: Generator) -> None:
    """Transpose ≤ 1e-13, Taylor slopes 2.00 ± 0.02 and 3.00 ± 0.05: `occore.checks.check_map`."""
    x, u = target.point(rng, 2)
    rows = check_map(Differentiable(target.subject, target.value, target.linearize, x, u), rng)
    raise_on_failure(rows)


def control_products(target: Target, rng: Generator) -> None:
    """control_jvp(du) == jvp(0, du), control_vjp(py) == pu of vjp(py), and of each sample too."""
    at = draw(target, rng)
    part, (dx, du) = at.part, at.d
    if part.control_jvp is not None:
        close(f"{target.subject}: control_jvp", part.control_jvp(du), part.jvp(0 * dx, du), EXACT)
    if part.control_vjp is not None:
        agree(f"{target.subject}: control_vjp", part.control_vjp(at.py), part.vjp(at.py)[1], EXACT)
    if part.control_of_each is not None:
        each = part.control_of_each(at.py)
        alone = [
            part.vjp(at.py * (np.arange(len(at.py)) == i).reshape(-1, *[1] * (at.py.ndim - 1)))[1]
            for i in range(len(at.py))
        ]
        rows = {name: np.stack([pu[name] for pu in alone]) for name in alone[0]}
        agree(f"{target.subject}: control_of_each", each, rows, EXACT)


def unchanged_arguments(target: Target, rng: Generator) -> None:
    """No call changes x, u, a direction or an adjoint in place."""
    at = draw(target, rng)
    given = (at.x, at.u, *at.d, at.py)
    before = copied(dict(enumerate(given)))
    target.value(at.x, at.u)
    _, part = target.linearize(at.x, at.u)
    products(part, *at.d, at.py)
    for name, value, kept in zip(("x", "u", "dx", "du", "py"), given, before.values(), strict=True):
        values, copies = (v if isinstance(v, dict) else {"": v} for v in (value, kept))
        identical(f"{target.subject}: a call changes its argument {name}", values, copies)


def repeatable(target: Target, rng: Generator) -> None:
    """Value and products come out the same, bit for bit, however often and in whatever order."""
    at = draw(target, rng)
    first = copied({"value": at.y} | at.products())
    again = {"value": target.linearize(at.x, at.u)[0]} | at.products()
    identical(f"{target.subject}: a second time", again, first)
    kept = at.products()
    before = copied(kept)
    products(at.part, like(at.x, rng), like(at.u, rng), like(at.y, rng))
    identical(f"{target.subject}: a result, after the next product", kept, before)


def not_stale(target: Target, rng: Generator) -> None:
    """An evaluation elsewhere leaves an earlier linearization and its results as they were."""
    first = draw(target, rng)
    kept = {"value": first.y} | first.products()
    before = copied(kept)
    second = draw(target, rng)
    second.products()
    target.value(second.x, second.u)
    identical(f"{target.subject}: a result, after an evaluation elsewhere", kept, before)
    again = {"value": first.y} | first.products()
    identical(f"{target.subject}: a linearization, after an evaluation elsewhere", again, before)


def single_precision(target: Target, rng: Generator) -> None:
    """float32 in, float32 out, and the numbers of float64 at the same point to 1e-5."""
    at = draw(target, rng)
    x, u, d, py = (cast(v, np.float32) for v in (at.x, at.u, dict(enumerate(at.d)), at.py))
    y, part = target.linearize(x, u)
    found = {"plain": target.value(x, u), "value": y} | products(part, d[0], d[1], py)
    for name, value in found.items():
        dtype = np.asarray(value).dtype
        require(
            dtype == np.float32,
            f"{target.subject}: {name} is {dtype} where everything given is float32",
        )
    x, u, d, py = (cast(v, np.float64) for v in (x, u, d, py))
    y, part = target.linearize(x, u)
    expected = {"plain": target.value(x, u), "value": y} | products(part, d[0], d[1], py)
    agree(f"{target.subject}: float32 against float64", found, expected, SINGLE)


def complex_step(target: Target, rng: Generator) -> None:
    """jvp == Im y(x + iε d) / ε and curvature == Im vjp(…) / ε, where y is complex differentiable.

    Squire and Trapp, SIAM Review 40 (1998), 110–112.
    """
    at = draw(target, rng)
    if not holomorphic(target, at):
        return
    x, u = (moved(v, 1j * COMPLEX_STEP, dv) for v, dv in zip((at.x, at.u), at.d, strict=True))
    expected = {"jvp": np.imag(target.value(x, u)) / COMPLEX_STEP}
    found = at.products()
    if at.part.curvature is not None:
        px, pu = target.linearize(x, u)[1].vjp(at.py + 0j)
        adjoints = {"x": px} | {f"u {name}": p for name, p in pu.items()}
        expected |= {f"curvature {k}": np.imag(p) / COMPLEX_STEP for k, p in adjoints.items()}
    found = {name: found[name] for name in expected}
    agree(f"{target.subject}: complex step", found, expected, EXACT)


def holomorphic(target: Target, at: Drawn) -> bool:
    """Whether y satisfies the Cauchy–Riemann equations off the real axis; needs no derivative.

    Not so: abs, a cast to real numbers, kernels that are compiled for real numbers.
    """
    centre, step = 1e-3j, 1e-4

    def y(offset: complex) -> Any:
        points = (moved(v, offset, d) for v, d in zip((at.x, at.u), at.d, strict=True))
        return np.asarray(target.value(*points))

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            along, across = (y(centre + s) - y(centre - s) for s in (step, 1j * step))
    except (TypeError, ValueError, np.exceptions.ComplexWarning):
        return False
    size = np.linalg.norm(along) + np.linalg.norm(at.y) * step
    return bool(np.linalg.norm(along - across / 1j) <= 1e-4 * size)


MAP_CHECKS: tuple[MapCheck, ...] = (
    shapes,
    transpose_and_taylor,
    control_products,
    joint_second_order,
    symmetric_curvature,
    complex_step,
    unchanged_arguments,
    repeatable,
    not_stale,
    single_precision,
)
"""What every map must pass."""


def named(function: Any, check: Any, prefix: str = "") -> Any:
    """The function under the name and with the docstring of a check."""
    function.__name__, function.__doc__ = prefix + check.__name__, check.__doc__
    return function
