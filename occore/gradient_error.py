"""How far the gradient of a discrete problem is from that of the flow: an estimate.

    e ≈ ‖g_h − g_{h/2}‖ / ‖g_{h/2}‖ · 2^p / (2^p − 1)

g_h is exact for its grid, adaptive or not; every step halved gives g_{h/2}, and p is the order of
the method (Richardson). The second indicator is the gap to the continuous adjoint on the same grid.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from occore.arrays import Array, norm
from occore.checks import frozen
from occore.phase import Phase
from occore.problem import Problem

WARN_ABOVE = 1e-4


def gradient_error(problem: Problem, theta: Array, scale: float = 0.0) -> float:
    """The estimated relative error of the gradient at θ; 0 without an integrated phase.

    One gradient on the grid at θ and one with every step halved. scale: what the error is relative
    to at least, such as the norm of the first gradient, since at a minimum the gradient vanishes.
    """
    orders = [p.discretization.order for p in problem.phases if p.discretization is not None]
    if not orders:
        return 0.0
    coarse = frozen(problem.uncounted, theta)
    fine = replace(coarse, phases=_halved(coarse, theta))
    a, b = coarse.value_and_gradient(theta)[1], fine.value_and_gradient(theta)[1]
    factor = 2.0 ** min(orders)
    scale = max(norm(b), scale)
    return norm(a - b) / scale * factor / (factor - 1) if scale > 0 else 0.0


def gradient_gap(problem: Problem, theta: Array, scale: float = 0.0) -> float:
    """Relative distance of the exact discrete gradient from the continuous adjoint's, at θ.

    Phases with events have the exact gradient only, and keep it.
    """
    exact = frozen(problem.uncounted, theta)
    phases = tuple(
        phase if phase.events else replace(phase, gradient="optimize_discretize")
        for phase in exact.phases
    )
    a = exact.value_and_gradient(theta)[1]
    b = replace(exact, phases=phases).value_and_gradient(theta)[1]
    scale = max(norm(a), scale)
    return norm(a - b) / scale if scale > 0 else 0.0


def _halved(problem: Problem, theta: Array) -> tuple[Phase, ...]:
    """The phases with the middle of every step as a node."""
    controls, x, phases = problem.unflatten(theta), problem.data.inputs, []
    for phase in problem.phases:
        u = controls[phase.name]
        if phase.static:
            phases.append(phase)
        else:
            times = phase.march(*phase.begin(x, u)).grid.times
            middle = np.stack([times[:-1], (times[:-1] + times[1:]) / 2], axis=1).ravel()
            refined = tuple(map(float, [*middle, times[-1]]))
            phases.append(replace(phase, times=refined, tolerances=None))
        x = phase(x, u)
    return tuple(phases)
