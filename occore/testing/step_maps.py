"""A discretization as maps: its step, and whole solves under every memory policy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from occore.checkpointing import Cost, Linearizations, Slots, States
from occore.checks import check_problem, raise_on_failure
from occore.data import Data
from occore.example import Example
from occore.phase import Phase
from occore.problem import Problem
from occore.running import WithCost
from occore.testing.comparison import close, identical
from occore.testing.fields import START, Field
from occore.testing.maps import (
    MAP_CHECKS,
    complex_step,
    named,
    repeatable,
    shapes,
    transpose_and_taylor,
)
from occore.testing.models import Ramp, Tanh
from occore.testing.points import Generator, cast, like, near, near_samples
from occore.testing.samples import SAMPLE_CHECKS, one_by_one
from occore.testing.target import Target, draw, products
from occore.testing.terms import Effort, HalfSquares
from occore.testing.variants import describe, variants

T, H, STEPS = 0.3, 0.2, 5
CONTROLS = {name: START[name] for name in ("K", "b", "g")}
POLICIES = (States(), Slots(1), Slots(2), Slots(1, 1))


def step(example: Example) -> Target:
    """One step of a field that has everything, with controls that differ between the stages."""
    method, field = example.map, Field()

    def point(rng: Generator, samples: int):
        u = {k: np.stack([near(v, rng) for _ in method.abscissae]) for k, v in CONTROLS.items()}
        return near_samples(START["x"], samples, rng), u

    return Target(
        f"{describe(example)}, step",
        lambda x, u: method.step(field, T, H, x, u),
        lambda x, u: method.linearize_step(field, T, H, x, u),
        point,
    )


def march(example: Example, **options: Any) -> Phase:
    """Several steps, with controls that are linear in time and one that is constant."""
    settings = {"steps": STEPS, "horizon": 1.0, "start": T, "space": Ramp(), **options}
    return Phase("solve", Field(), example.map, **settings)


def solve(example: Example, **options: Any) -> Target:
    """The same as a map."""
    return _as_map(march(example, **options), START["x"])


def _as_map(phase: Phase, start: Any) -> Target:
    def point(rng: Generator, samples: int):
        u = {
            name: near(value, rng) if name == "g" else np.stack([near(value, rng) for _ in "01"])
            for name, value in CONTROLS.items()
        }
        return near_samples(start, samples, rng), u

    subject = f"{type(phase.discretization).__name__}, {phase.name}"
    return Target(subject, phase, phase.linearize, point)


def same_bits(example: Example, rng: Generator) -> None:
    """`linearize_step` gives the state of `step` to the last bit, in both precisions."""
    target = step(example)
    x, u = target.point(rng, 3)
    for dtype in (np.float64, np.float32):
        given = cast(x, dtype), cast(u, dtype)
        found, expected = target.linearize(*given)[0], target.value(*given)
        identical(f"{target.subject}: linearize_step", {"value": found}, {"value": expected})


def memory(example: Example, rng: Generator) -> None:
    """Every product is the same, bit for bit, under every memory policy, also asked for twice."""
    point = draw(solve(example), rng)
    given = (*point.d, point.py)
    expected = {"value": point.y} | point.products()
    for policy in (Linearizations(), *POLICIES):
        y, part = solve(example, memory=policy, cost=Cost()).linearize(point.x, point.u)
        for _ in range(2):
            found = {"value": y} | products(part, *given)
            identical(f"{type(example.map).__name__} under {policy}", found, expected)


def observations(example: Example, rng: Generator) -> None:
    """States observed on the way, the start among them, are those of shorter solves."""
    times = (T, T + 0.4, T + 1.0)
    target = solve(example, observations=times)
    for check in (shapes, transpose_and_taylor, repeatable, one_by_one):
        check(target, rng)
    x, u = target.point(rng, 2)
    y = target.value(x, u)
    states = [x, *march(example).states(x, u)]
    close("observed states", y, np.stack([states[k] for k in (0, 2, 5)], axis=1), 1e-13)
    for policy in POLICIES:
        part = solve(example, observations=times, memory=policy).linearize(x, u)[1]
        dx, du, py = like(x, np.random.default_rng(1)), like(u, np.random.default_rng(2)), y
        found = products(part, dx, du, py)
        identical(f"observed, {policy}", found, products(target.linearize(x, u)[1], dx, du, py))


def cost(example: Example, rng: Generator) -> None:
    """A solve with a running cost: jvp, vjp, curvature."""
    phase = replace(
        march(example, steps=2),
        name="solve with a cost",
        dynamics=WithCost(Field(), Effort(), np.shape(START["x"])[1:]),
    )
    target = _as_map(phase, np.pad(START["x"], ((0, 0), (0, 1))))
    for check in (transpose_and_taylor, complex_step):
        check(target, rng)


def chain(example: Example, rng: Generator) -> None:
    """A layer, a solve and a layer, with an objective: gradient, Hessian and Gauss–Newton."""
    phases = (
        Phase("opening", Tanh((3,), 4)),
        replace(march(example), name="middle"),
        Phase("closing", Tanh((4,), 2)),
    )
    data = Data(rng.standard_normal((3, 3)), rng.standard_normal((3, 2)))
    problem = Problem(phases, HalfSquares(), data)
    theta = 0.5 * rng.standard_normal(problem.size)
    raise_on_failure(check_problem(problem, theta, rng))
    v = rng.standard_normal(problem.size)
    at = problem.at(theta)
    close("gradient by the residual", at.residual_vjp(at.residual()), at.gradient(), 1e-12)
    product = at.residual_vjp(at.residual_jvp(v))
    close("Gauss–Newton product", at.gauss_newton_product(v), product, 1e-12)


def _on_step(check: Any) -> Any:
    def on_step(example: Example, rng: Generator) -> None:
        for other in variants(example):
            check(step(other), rng)

    return named(on_step, check, "step_")


def _on_solve(check: Any) -> Any:
    def on_solve(example: Example, rng: Generator) -> None:
        check(solve(example), rng)

    return named(on_solve, check, "solve_")


CHECKS = (
    same_bits,
    *(_on_step(check) for check in (*MAP_CHECKS, *SAMPLE_CHECKS)),
    *(_on_solve(check) for check in (*MAP_CHECKS, *SAMPLE_CHECKS)),
    memory,
    observations,
    cost,
    chain,
)
