"""From the rates of a dynamics to the tape of its right-hand side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
from sympy.core.parameters import distribute

from occore.errors import InputError, nearest
from occore.symbolic.array import entries, symbols
from occore.symbolic.lowering import lower
from occore.symbolic.tape import Tape

if TYPE_CHECKING:
    from occore.symbolic.dynamics import SymbolicDynamics


def trace_rates(dynamics: SymbolicDynamics) -> Tape:
    """The tape of f in the groups t, x, u. Raises InputError if the rates are not as promised."""
    t, x = symbols("t", ()), symbols("x", dynamics.state_shape)
    shapes = dynamics.controls.shapes.items()
    u = {name: symbols(f"u{i}", shape) for i, (name, shape) in enumerate(shapes)}
    states = {name: x[i] for i, name in enumerate(dynamics.states)}
    # 0.1 (a − b) stays a product: 0.1 a − 0.1 b takes longer and cancels worse
    with distribute(False):
        rates = dynamics.rates(t, states, u)
    outputs = [_rate(dynamics, rates, name) for name in dynamics.states]
    for name in rates:
        if name not in dynamics.states:
            raise InputError(
                f"{type(dynamics).__name__}.rates gives {name!r}, which is no state."
                f"{nearest(name, dynamics.states)} States: {', '.join(dynamics.states)}."
            )
    controls = [symbol for array in u.values() for symbol in array.entries.flat]
    return lower([t.entries.item(), list(x.entries), controls], outputs)


def _rate(dynamics: SymbolicDynamics, rates: Any, name: str) -> sympy.Expr:
    if name not in rates:
        raise InputError(f"{type(dynamics).__name__}.rates gives no rate for the state {name!r}")
    rate = entries(rates[name])
    if np.shape(rate) != ():
        raise InputError(
            f"the rate of {name!r} in {type(dynamics).__name__} has the shape {np.shape(rate)}; "
            "a number is expected"
        )
    return rate.item()
