"""Kernels of a cost that is given as an expression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from occore.errors import InputError
from occore.symbolic.expression_dynamics import ExpressionDynamics

if TYPE_CHECKING:
    from occore.symbolic.kernels import Kernels


def cost_kernels(
    what: str,
    text: str,
    states: tuple[str, ...],
    controls: tuple[str, ...],
    dynamics: ExpressionDynamics,
    time: str,
) -> Kernels:
    """Kernels of one expression in (t, states, controls), with the parameters filled in."""
    from occore.symbolic.array import exact
    from occore.symbolic.expressions import parse_expression
    from occore.symbolic.kernels import generate
    from occore.symbolic.vocabulary import symbol

    named: Mapping[str, Any] = {name: symbol(name) for name in (*states, *controls)}
    clock = symbol("t_of_running") if time else symbol("t_unused")
    names = {**named, **({time: clock} if time else {})}
    names.update({name: exact(value) for name, value in dynamics.parameters.items()})
    try:
        expression = parse_expression(text, names)
    except InputError as error:
        raise InputError(f"{what}: {error}") from error
    x, u = [named[name] for name in states], [named[name] for name in controls]
    return generate(clock, x, u, [expression], dynamics.compiler)
