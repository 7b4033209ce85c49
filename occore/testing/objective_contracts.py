"""What every objective owes beyond its value: derivatives as of any map, samples, options."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from occore.data import Data
from occore.example import Example
from occore.layout import Layout
from occore.objective import ControlObjective, PhaseControls, TerminalObjective
from occore.symbolic.derivation import trace
from occore.testing import namespaces
from occore.testing.comparison import EXACT, close, require
from occore.testing.maps import MAP_CHECKS, named
from occore.testing.objective_maps import nested, rates, repeated_targets, scalars
from occore.testing.points import Generator, like
from occore.testing.samples import SAMPLE_CHECKS
from occore.testing.squares import gauss_newton, residual
from occore.testing.target import Target
from occore.testing.variants import variants


def _targets(example: Example) -> list[Target]:
    return [
        target
        for other in variants(example)
        for target in (*(scalar.target for scalar in scalars(other)), *rates(other))
    ]


def traced_products(example: Example, rng: Generator) -> None:
    """Value, gradient and Hessian are those that SymPy derives from the traced formula."""
    if not isinstance(example.map, (TerminalObjective, ControlObjective)):
        return  # given as expressions: generated derivatives have no code of their own to trace
    for target in _targets(example):
        x, u = target.point(rng, 2)
        layout = Layout({name: np.shape(value) for name, value in u.items()})
        make = partial(trace, target.value, x.shape, layout)
        namespaces.traced_products(target, make, rng)


def strict_namespace(example: Example, rng: Generator) -> None:
    """A terminal objective needs nothing but the Array API."""
    if isinstance(example.map, TerminalObjective):
        for target in _targets(example):
            namespaces.strict_namespace(target, rng)


def permuted_samples(example: Example, rng: Generator) -> None:
    """Samples and targets shuffled together leave Φ, and shuffle its gradient."""
    if not isinstance(example.map, TerminalObjective):
        return
    x = next(scalars(example)).target.point(rng, 4)[0]
    target = repeated_targets(example, 4)
    order = np.array([2, 0, 3, 1])
    value, part = example.map.linearize(x, target)
    other, shuffled = example.map.linearize(x[order], target[order])
    close("Φ of shuffled samples", other, value, EXACT)
    close("gradient of shuffled samples", shuffled.gradient(), part.gradient()[order], EXACT)


def repeated_samples(example: Example, rng: Generator) -> None:
    """Every sample twice doubles Φ, a sum over samples, or leaves it, where it `averages`."""
    if not isinstance(example.map, TerminalObjective):
        return
    for other in variants(example):
        x, target = next(scalars(other)).target.point(rng, 2)[0], repeated_targets(example, 2)
        once = float(other.map(x, target))
        twice = float(other.map(np.concatenate([x, x]), np.concatenate([target, target])))
        factor, sort = (1, "mean") if other.map.averages else (2, "sum")
        require(
            abs(twice - factor * once) <= EXACT * abs(once),
            f"Φ is {once:.6g}, and {twice:.6g} for every sample twice: no {sort} over the samples, "
            "as `averages` says",
        )


def row_operator(example: Example, rng: Generator) -> None:
    """R is the sum of ½‖u Mᵀ‖² over the controls, M from row_operator."""
    if getattr(example.map, "row_operator", None) is None:
        return
    for other in variants(example):
        total = 0.0
        u = next(scalars(other)).target.point(rng, 1)[1]
        for path, value in u.items():
            phase, _, name = path.partition("/")
            columns = value.shape[-1] if value.ndim else 1
            M = other.map.row_operator(phase, name, columns)
            if M is not None:
                total += float(np.sum((value.reshape(-1, columns) @ M.T) ** 2)) / 2
        close("R by row_operator", other.map(nested(u)), total, EXACT)


def row_quadratic(example: Example, rng: Generator) -> None:
    """The term is ½ tr (X − C)ᵀ Q (X − C) of its rows, with the matrices of row_quadratic."""
    if getattr(example.map, "row_quadratic", None) is None:
        return
    for other in variants(example):
        x, u = next(scalars(other)).target.point(rng, 2)
        if isinstance(other.map, TerminalObjective):
            target = repeated_targets(example, 2)
            assert other.map.row_quadratic is not None  # noqa: S101 - just asked for
            Q, C = other.map.row_quadratic(target)
            rows = x.reshape(C.shape) - C
            close("Φ by row_quadratic", other.map(x, target), np.sum(rows * (Q @ rows)) / 2, EXACT)
            continue
        total = 0.0
        for path, value in u.items():
            phase, _, name = path.partition("/")
            rows = value.reshape(len(value), -1)
            K = other.map.row_quadratic(phase, name, len(value))
            total += 0.0 if K is None else float(np.sum(rows * (K @ rows))) / 2
        close("R by row_quadratic", other.map(nested(u)), total, EXACT)


def proximal(example: Example, rng: Generator) -> None:
    """proximal(v, s) minimises s R(u) + ½‖u − v‖²: no step away from it does better."""
    if getattr(example.map, "proximal", None) is None:
        return
    for other in variants(example):
        v = nested(next(scalars(other)).target.point(rng, 1)[1])
        for s in (0.1, 1.0, 10.0):
            u = other.map.proximal(v, s)
            best = s * float(other.map(u)) + _half_square(u, v)
            for size in np.repeat(10.0 ** np.arange(-4, 1), 5):
                w = {p: {n: a + size * like(a, rng) for n, a in of.items()} for p, of in u.items()}
                value = s * float(other.map(w)) + _half_square(w, v)
                require(value >= best * (1 - EXACT), f"proximal, s = {s}: {value} < {best}")


def _half_square(u: PhaseControls, v: PhaseControls) -> float:
    return sum(float(np.sum((u[p][n] - v[p][n]) ** 2)) / 2 for p in u for n in u[p])


def metrics(example: Example, rng: Generator) -> None:
    """What a person would look at: finite numbers, and arrays of them, by name."""
    measure = getattr(example.map, "metrics", None)
    if measure is None:
        return
    x, target = np.asarray(example.x, float), np.asarray(example.target, float)
    for name, value in measure(x, Data(x, target)).items():
        known = isinstance(value, (float, np.ndarray)) and np.asarray(value).dtype.kind in "iuf"
        require(known and bool(np.all(np.isfinite(value))), f"the metric {name} is {value!r}")


def _on_all(check: Any) -> Any:
    def on_all(example: Example, rng: Generator) -> None:
        for target in _targets(example):
            check(target, rng)

    return named(on_all, check)


def _on_rates(check: Any) -> Any:
    def on_rates(example: Example, rng: Generator) -> None:
        for target in rates(example):
            check(target, rng)

    return named(on_rates, check, "running_")


CHECKS = (
    traced_products,
    strict_namespace,
    *(_on_all(check) for check in MAP_CHECKS),
    *(_on_rates(check) for check in SAMPLE_CHECKS),
    permuted_samples,
    repeated_samples,
    gauss_newton,
    residual,
    row_operator,
    row_quadratic,
    proximal,
    metrics,
)
