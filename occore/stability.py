"""Whether the steps of a phase are short enough: the spectrum of its field against its method.

A step of dx/dt = λ x multiplies x by R(h λ). For an explicit Runge–Kutta method

    R(z) = 1 + Σ_k (bᵀ A^(k−1) 1) z^k

is a polynomial, and |R| ≤ 1 on [−r, 0] and on i [−s, s], where (r, s) is the reach of the method:
(2, 0) for forward Euler, (2.785, 2.828) for the classical method of order 4. A field that bounds
its eigenvalues by (ρ, ω) (`Dynamics.spectrum`) is stable for h ρ ≤ r and h ω ≤ s. This is
sufficient, not necessary: bounds hold for all states. Hairer and Wanner II, section IV.2.
"""

from __future__ import annotations

import math
from typing import TypedDict

import numpy as np
from numpy.polynomial import Polynomial

from occore.arrays import Controls
from occore.discretization import Discretization
from occore.phase import Phase
from occore.phase_grid import fixed_grid
from occore.time_scaled import HORIZON

ROUNDING = 1e-13
"""Coefficients of |R|² − 1 below it are zero but for rounding."""


class Stability(TypedDict):
    """What the run file keeps of a phase."""

    real_bound: float
    """The largest ρ at the stages of all steps."""
    imaginary_bound: float
    """The largest ω."""
    step: float
    """The largest h."""
    step_over_bound: float
    """max h max(ρ/r, ω/s) over the stages: up to one the steps are stable."""


def stability(phase: Phase, u: Controls) -> Stability | None:
    """The steps of a phase with these controls against what its method bears.

    None for a layer, where field or method says nothing, and for adaptive steps, which see for
    themselves.
    """
    spectrum, method = phase.dynamics.spectrum, phase.discretization
    if method is None or spectrum is None or phase.tolerances is not None:
        return None
    limits = reach(method)
    if limits is None:
        return None
    march, names = phase.on(fixed_grid(phase)), phase.dynamics.controls
    stages = march.stages.controls({name: u[name] for name in phase.field.controls})
    places = range(len(method.abscissae))
    bounds = np.array(
        [
            [spectrum({name: stages[k][name][i] for name in names}) for i in places]
            for k in range(march.grid.steps)
        ]
    )
    lengths = np.abs(march.grid.lengths) * (float(u[HORIZON]) if phase.free_horizon else 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(bounds > 0, bounds / limits, 0.0)
    return Stability(
        real_bound=float(bounds[..., 0].max()),
        imaginary_bound=float(bounds[..., 1].max()),
        step=float(lengths.max()),
        step_over_bound=float(np.max(lengths[:, None, None] * shares)),
    )


def reach(method: Discretization) -> tuple[float, float] | None:
    """How far the method is stable along the negative real and the imaginary axis.

    None where that is not known: for methods without an explicit tableau or a `reach` of their own.
    """
    tableau = method.tableau
    if tableau is None or tableau.fields:
        return method.reach
    A, b = np.asarray(tableau.matrix, float), np.asarray(tableau.b, float)
    if np.any(np.triu(A)):
        return None
    powers = [np.ones(len(b))]
    while len(powers) < len(b):
        powers.append(A @ powers[-1])
    R = np.array([1.0, *(b @ power for power in powers)])
    even, odd = (Polynomial(part * (-1.0) ** np.arange(len(part))) for part in (R[::2], R[1::2]))
    at_minus_s = Polynomial(R * (-1.0) ** np.arange(len(R)))
    real = _first_growth(at_minus_s**2)
    # R(i s) = even(s²) + i s odd(s²), so |R|² is a polynomial of s²
    return real, math.sqrt(_first_growth(even**2 + Polynomial([0.0, 1.0]) * odd**2))


def _first_growth(squares: Polynomial) -> float:
    """The end of the interval from 0 on which this |R|² is at most one."""
    excess = squares.coef.copy()
    excess[0] -= 1.0
    excess[np.abs(excess) < ROUNDING] = 0.0
    growth = Polynomial(np.trim_zeros(excess, "b"))
    roots = growth.roots()
    last = 0.0
    for end in np.sort(roots.real[(np.abs(roots.imag) < 1e-9) & (roots.real > 1e-9)]):
        if growth((last + end) / 2) > 0:
            break
        last = float(end)
    return last
