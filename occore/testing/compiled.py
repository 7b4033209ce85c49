"""What is compiled by Numba: the same numbers as NumPy gives, and true of every map as well.

Symbolic dynamics, which have a choice of `compiler`, are tried with both. Marches by explicit
tableaux run in compiled loops, which have adjoints of their own; they are tried on one small field
that everything which is tried shares, since compiling takes seconds and running does not.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from occore.arrays import Array
from occore.checkpointing import Cost, Linearizations
from occore.dynamics import Dynamics
from occore.errors import require as require_package
from occore.example import Example
from occore.phase import Phase
from occore.symbolic.dynamics import SymbolicDynamics
from occore.testing.comparison import EXACT, agree, fail, identical
from occore.testing.dynamics_maps import TIMES, at_time
from occore.testing.maps import not_stale, repeatable, transpose_and_taylor, unchanged_arguments
from occore.testing.models import Midpoint, Ramp
from occore.testing.points import Generator, near, near_controls, near_samples
from occore.testing.samples import one_by_one
from occore.testing.step_maps import POLICIES
from occore.testing.target import Drawn, Target, draw, products

if TYPE_CHECKING:
    from occore.symbolic.kernels import Compiler

START = {"x": [[0.8, 0.6], [0.5, 0.9]], "u": 0.3, "a": 0.9, "b": 0.7, "c": 0.8, "d": 0.6}
TIME = 0.3
OBSERVATIONS = ((TIME, 0.7, 1.3), None)
"""The start, on the way and the end; the end alone goes other ways through the adjoint."""


def predators(compiler: Compiler) -> Dynamics:
    """x' = a x − b x y + x u², y' = −c y + d x y cos t: in time, with a control and constants."""
    from occore.symbolic.expression_dynamics import ExpressionDynamics

    rates = {"x": "a*x - b*x*y + x*u**2", "y": "-c*y + d*x*y*cos(t)"}
    return ExpressionDynamics(("x", "y"), ("u",), rates, tuple("abcd"), compiler=compiler)


def compiled(example: Example, rng: Generator) -> None:
    """Value, jvp, vjp and curvature of a field, and the gradient of a march, by both compilers."""
    if not isinstance(example.map, SymbolicDynamics):
        return
    _require_numba()
    fast, general = (_by(example.map, compiler) for compiler in ("numba", "numpy"))
    for t in TIMES:
        point = draw(at_time(replace(example, map=general), t), rng)
        y, part = fast.linearize(t, point.x, point.u)
        found = {"value": y} | products(part, *point.d, point.py)
        agree(f"{type(general).__name__}, compiled", found, _expected(point), EXACT)
    found = []
    x, u = near_samples(example.x, 2, rng), near_controls(example.u or {}, rng)
    for f in (fast, general):
        phase = Phase("compiled march", f, Midpoint(), 4, 0.25, space=Ramp())
        y, part = _sure(phase, x, f is fast).linearize(x, _in_time(f, u))
        px, pu = part.vjp(np.ones_like(y))
        found.append({"value": y, "vjp x": px} | {f"vjp u {n}": p for n, p in pu.items()})
    agree(f"{type(general).__name__}, compiled march", found[0], found[1], EXACT)


def compiled_march(example: Example, rng: Generator) -> None:
    """Value, states and all products of a compiled march are those of the general one."""
    if not _has_loops(example):
        return
    name = f"{type(example.map).__name__}, compiled"
    for observations in OBSERVATIONS:
        fast, general = (
            _march(example, compiler, observations=observations) for compiler in ("numba", "numpy")
        )
        point = draw(_target(general), rng)
        y, part = fast.linearize(point.x, point.u)
        found = {"value": y} | products(part, *point.d, point.py)
        agree(f"{name}, observed at {observations}", found, _expected(point), EXACT)
        states = [
            {f"state {k}": x for k, x in enumerate(phase.states(point.x, point.u))}
            for phase in (fast, general)
        ]
        agree(name, states[0], states[1], EXACT)


def compiled_as_map(example: Example, rng: Generator) -> None:
    """A compiled march is a map like any other: transpose, Taylor, no traces, samples apart."""
    if _has_loops(example):
        target = _target(_march(example, "numba"))
        checks = transpose_and_taylor, repeatable, not_stale, unchanged_arguments, one_by_one
        for check in checks:
            check(target, rng)


def compiled_memory(example: Example, rng: Generator) -> None:
    """Compiled sweeps give the same bits under every memory policy, also asked for twice."""
    if _has_loops(example):
        point = draw(_target(_march(example, "numba")), rng)
        given, expected = (*point.d, point.py), _expected(point)
        for policy in (Linearizations(), *POLICIES):
            phase = _march(example, "numba", memory=policy, cost=Cost())
            y, part = phase.linearize(point.x, point.u)
            for _ in range(2):
                found = {"value": y} | products(part, *given)
                what = f"{type(example.map).__name__}, compiled, under {policy}"
                identical(what, found, expected)


def _has_loops(example: Example) -> bool:
    """Whether marches by this method are compiled. Raises MissingExtra where Numba is missing."""
    from occore.kernels.compiled_march import explicit

    if explicit(type(example.map)) is None:
        return False
    _require_numba()
    return True


def _require_numba() -> None:
    require_package("numba", extra="fast", purpose="to check what is compiled")


def _march(example: Example, compiler: Compiler, **options: Any) -> Phase:
    settings = {"start": TIME, "space": Ramp(), "observations": OBSERVATIONS[0], **options}
    phase = Phase("compiled", predators(compiler), example.map, 5, 1.0, **settings)
    return _sure(phase, np.asarray(START["x"]), compiler == "numba")


def _sure(phase: Phase, x: Array, expected: bool) -> Phase:
    """The phase, once it is seen that its march is compiled, or is not, as expected."""
    found = phase.march(x, phase.layout.zeros()).compiled is not None
    if found != expected:
        fail(f"{phase.discretization}: the march is {'' if found else 'not '}compiled")
    return phase


def _target(phase: Phase) -> Target:
    def point(rng: Generator, samples: int):
        u = {name: near(START[name], rng) for name in "abcd"}
        ends = np.stack([near(START["u"], rng) for _ in "01"])
        return near_samples(START["x"], samples, rng), {"u": ends, **u}

    subject = f"{type(phase.discretization).__name__}, compiled"
    return Target(subject, phase, phase.linearize, point)


def _expected(point: Drawn) -> dict[str, Any]:
    return {"value": point.y} | point.products()


def _by(f: Any, compiler: Compiler) -> Any:
    """The same field with another compiler, also where that is no option but a class attribute."""
    twin = copy.copy(f)
    vars(twin)["compiler"] = compiler
    vars(twin).pop("kernels", None)
    return twin


def _in_time(f: Dynamics, u: Any) -> Any:
    """Controls at both ends, those that are constant once."""
    return {name: v if name in f.constants else np.stack([v, 1.5 * v]) for name, v in u.items()}


DYNAMICS_CHECKS = (compiled,)
MARCH_CHECKS = (compiled_march, compiled_as_map, compiled_memory)
