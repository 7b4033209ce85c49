"""Why adaptive steps end: the history of steps, an estimate of the stiffness, what would serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from occore.arrays import Array, Controls
from occore.discretization import Discretization
from occore.dynamics import Dynamics

if TYPE_CHECKING:
    from occore.adaptive import StepLog

STABLE = 1.0
"""h |λ| above which explicit steps are as long as stability lets them be; bounds are 2 to 6."""


def fastest_rate(dynamics: Dynamics, t: float, x: Array, u: Controls) -> tuple[float, float]:
    """The largest eigenvalue of f_x in 1/time, by power iteration from f: modulus and growth.

    The growth is the real part, where the eigenvalue is real: positive for what runs away.
    """
    f, part = dynamics.linearize(t, x, u)
    still = {name: 0 * value for name, value in u.items()}
    v, rates, growth = f / (np.linalg.norm(f) or 1.0), [0.0], 0.0
    for _ in range(20):
        w = part.jvp(v, still)
        rates.append(float(np.linalg.norm(w)))
        growth = float(np.sum(v * w))
        v = w / (rates[-1] or 1.0)
    return float(np.median(rates[-5:])), growth  # of a complex pair the norms go up and down


def diagnose(
    dynamics: Dynamics,
    method: Discretization,
    t: float,
    x: Array,
    u: Controls,
    h: float,
    log: StepLog,
    span: float,
) -> str:
    """What happened at t with the step h, in words for an error. u: the controls at t."""
    rate, growth = fastest_rate(dynamics, t, x, u)
    recent = log.lengths[-5:]
    lengths = ", ".join(f"{length:.2g}" for length in recent) or "none accepted"
    typical = float(np.median(np.abs(log.lengths[-100:]))) if log.lengths else abs(h)
    left = abs(span) - abs(t - log.times[0])
    words = (
        f"adaptive steps of {type(method).__name__} end at t = {t:.8g} after {len(log.lengths)} "
        f"steps ({log.rejected} rejected; last lengths {lengths}; next {h:.2g}). The field changes "
        f"at a rate of about {rate:.2g} there, which times the step length is {rate * typical:.2g}"
    )
    if rate * typical >= STABLE and rate * left >= 100 and growth < rate / 2:
        return (
            f"{words}: the problem is stiff, since stability and not accuracy limits the steps, "
            f"and some {rate * left / 3:.0g} more would be needed. Use an implicit method: "
            "rosenbrock or sdirk3, also with tolerances, or trapezoid with fixed steps"
        )
    return (
        f"{words}. Look for a blow-up of the solution or an undeclared switch of the field; raise "
        "max_steps where neither is there; where the problem is stiff, use an implicit method "
        "(rosenbrock, sdirk3, trapezoid)"
    )
