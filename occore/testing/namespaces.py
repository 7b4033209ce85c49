"""Checks of code that is written over an array namespace: traced with SymPy, and run strictly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from occore.checks import CheckFailed
from occore.errors import require as require_package
from occore.symbolic.derivation import TracedMap
from occore.testing.comparison import EXACT, agree, require
from occore.testing.points import Generator
from occore.testing.target import Target, draw, products

POINTS = 3


def traced_products(target: Target, trace: Callable[[], TracedMap], rng: Generator) -> None:
    """Value, jvp, vjp and curvature are those of the model's own formula, which SymPy derives."""
    try:
        formula = trace()
    except (TypeError, AttributeError, ValueError) as error:
        raise CheckFailed(
            f"{target.subject}: cannot be traced on symbols: {type(error).__name__}: {error}; take "
            "functions from the namespace of the arguments: xp = array_namespace(x)"
        ) from error
    for _ in range(POINTS):
        at = draw(target, rng)
        (dx, du), found = at.d, {"value": at.y, "plain": target.value(at.x, at.u)}
        y = formula.value(at.x, at.u)
        expected = {"value": y, "plain": y, "jvp": formula.jvp(at.x, at.u, dx, du)}
        pairs = {"vjp": formula.vjp(at.x, at.u, at.py)}
        if at.part.curvature is not None:
            pairs["curvature"] = formula.curvature(at.x, at.u, at.py, dx, du)
        for product, (px, pu) in pairs.items():
            expected |= {f"{product} x": px} | {f"{product} u {n}": p for n, p in pu.items()}
        found |= {n: p for n, p in at.products().items() if not n.startswith("control_")}
        agree(f"{target.subject}: against the trace", found, expected, EXACT)


def strict_namespace(target: Target, rng: Generator) -> None:
    """Arrays of array-api-strict in, the same out, with the numbers that NumPy gives."""
    xp = require_package("array_api_strict", extra="test", purpose="for the strict namespace")
    at = draw(target, rng)

    def strict(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: strict(a) for name, a in value.items()}
        return xp.asarray(np.asarray(value))

    x, u, dx, du, py = map(strict, (at.x, at.u, *at.d, at.py))
    try:
        y, part = target.linearize(x, u)
        found = {"plain": target.value(x, u), "value": y} | products(part, dx, du, py)
    except Exception as error:  # whatever model code does with arrays that are not NumPy's
        raise CheckFailed(
            f"{target.subject}: does not run on array-api-strict: {type(error).__name__}: {error}; "
            "take functions from the namespace of the arguments: xp = array_namespace(x)"
        ) from error
    for name, value in found.items():
        require(
            type(value) is type(x),
            f"{target.subject}: {name} is {type(value).__name__} where strict arrays are given",
        )
    expected = {"plain": target.value(at.x, at.u), "value": at.y} | at.products()
    numbers = {name: np.asarray(value) for name, value in found.items()}
    agree(f"{target.subject}: strict namespace", numbers, expected, EXACT)
