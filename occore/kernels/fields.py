"""Kernels of what a march integrates: a symbolic field, also with a running cost or a horizon.

field         value
symbolic      f(t, x, u)
WithCost      [f(t, x, u); Σ w ℓ(t, x, u)] of the state [x; c]
TimeScaled    T f(0, x, u) of the controls [u; T]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from occore.dynamics import Dynamics
from occore.running import RunningTotal, WithCost
from occore.symbolic.builder import Builder
from occore.symbolic.dynamics import SymbolicDynamics
from occore.symbolic.kernels import Kernels, T, U, X, kernels
from occore.symbolic.tape import Tape
from occore.time_scaled import TimeScaled


def field_kernels(field: Dynamics) -> Kernels | None:
    """Kernels for Numba; `None` where the field has none or does not ask for them."""
    tape = _compiled_tape(field)
    return None if tape is None else kernels(tape, "numba")


def _compiled_tape(field: Dynamics) -> Tape | None:
    if isinstance(field, SymbolicDynamics):
        return field.kernels.tape if field.compiler == "numba" else None
    if isinstance(field, TimeScaled):
        inner = _compiled_tape(field.field)
        return None if inner is None else _scaled(inner)
    if isinstance(field, WithCost):
        inner, costs = _compiled_tape(field.field), _running(field.cost)
        return None if inner is None or costs is None else _with_cost(inner, costs)
    return None


def _running(cost: Any) -> list[tuple[float, Tape]] | None:
    """Weights and tapes of a running cost; `None` where a term has no tape."""
    terms = cost.weighted if isinstance(cost, RunningTotal) else ((1.0, cost),)
    found = [(weight, getattr(term, "kernels", None)) for weight, term in terms]
    tapes = [(weight, kernels.tape) for weight, kernels in found if kernels is not None]
    return tapes if len(tapes) == len(found) else None


def _scaled(tape: Tape) -> Tape:
    t, states, controls = tape.groups
    builder = Builder((t, states, (controls or 0) + 1))
    *u, horizon = builder.inputs(U)
    f = builder.replay(tape, [builder.constant(0), *builder.inputs(X), *u])
    return builder.tape([builder.operation("mul", horizon, value) for value in f])


def _with_cost(tape: Tape, costs: Sequence[tuple[float, Tape]]) -> Tape:
    t, states, controls = tape.groups
    builder = Builder((t, (states or 0) + 1, controls))
    inputs = [*builder.inputs(T), *list(builder.inputs(X))[:-1], *builder.inputs(U)]
    f, total = builder.replay(tape, inputs), builder.constant(0)
    for weight, cost in costs:
        (value,) = builder.replay(cost, inputs)
        value = builder.operation("mul", builder.constant(weight), value)
        total = builder.operation("add", total, value)
    return builder.tape([*f, total])
