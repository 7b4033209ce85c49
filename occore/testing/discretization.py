"""What every discretization owes: its example, and all that its step and its orders owe."""

from __future__ import annotations

import numpy as np

from occore.example import Example
from occore.testing import adjoint_orders, compiled, step_maps, step_orders
from occore.testing.comparison import close, fail
from occore.testing.points import Generator, arrays


def value(example: Example, rng: Generator) -> None:
    """The step of the example is the reference number, with and without a linearization."""
    if example.h is None:
        fail("the example of a discretization needs h, the length of its step")
    x, u = np.asarray(example.x, float), arrays(example.u)
    given = (example.dynamics, example.t, example.h, x, u)
    found = {"step": example.map.step(*given), "linearized": example.map.linearize_step(*given)[0]}
    for what, y in found.items():
        close(
            f"{type(example.map).__name__}: {what} at the example", y, example.value, example.rtol
        )


CHECKS = (
    value,
    *step_maps.CHECKS,
    *step_orders.CHECKS,
    *adjoint_orders.CHECKS,
    *compiled.MARCH_CHECKS,
)
