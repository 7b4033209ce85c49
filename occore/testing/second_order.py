"""Checks of second-order adjoints that need no reference."""

from __future__ import annotations

import numpy as np

from occore.arrays import Array
from occore.testing.comparison import EXACT, agree, close, require
from occore.testing.points import Generator, like
from occore.testing.target import Drawn, Target, draw


def joint_second_order(target: Target, rng: Generator) -> None:
    """second(py, dp, dx, du) == (px, yᵀ dp + curvature(py, dx, du)), where it is offered.

    `control_second(py, dp, du)` is its last part for dx = 0.
    """
    at = draw(target, rng)
    _control_second(target, at, like(at.y, rng))
    second = getattr(at.part, "second", None)
    if second is None:
        return
    require(at.part.curvature is not None, f"{target.subject}: second is offered without curvature")
    assert at.part.curvature is not None  # noqa: S101
    dp = like(at.y, rng)
    px, dpx, dpu = second(at.py, dp, *at.d)
    (first, first_u), (bend, bend_u) = at.part.vjp(dp), at.part.curvature(at.py, *at.d)
    expected = {"px": at.part.vjp(at.py)[0], "dp x": first + bend}
    expected |= {f"dp u {name}": first_u[name] + bend_u[name] for name in bend_u}
    found = {"px": px, "dp x": dpx} | {f"dp u {name}": p for name, p in dpu.items()}
    agree(f"{target.subject}: second", found, expected, EXACT)


def _control_second(target: Target, at: Drawn, dp: Array) -> None:
    found, (dx, du) = getattr(at.part, "control_second", None), at.d
    if found is None:
        return
    assert at.part.curvature is not None, "control_second without curvature"  # noqa: S101
    first, bend = at.part.vjp(dp)[1], at.part.curvature(at.py, 0 * dx, du)[1]
    expected = {name: first[name] + bend[name] for name in first}
    agree(f"{target.subject}: control_second", found(at.py, dp, du), expected, EXACT)


def symmetric_curvature(target: Target, rng: Generator) -> None:
    """⟨e, curvature(py, d)⟩ == ⟨d, curvature(py, e)⟩: a Hessian is symmetric."""
    at = draw(target, rng)
    if at.part.curvature is None:
        return
    d, e = at.d, (like(at.x, rng), like(at.u, rng))
    terms = []
    for (ax, au), (bx, bu) in ((d, e), (e, d)):
        hx, hu = at.part.curvature(at.py, ax, au)
        terms.append([np.ravel(hx * bx), *(np.ravel(hu[name] * bu[name]) for name in hu)])
    left, right = (np.concatenate(t) for t in terms)
    scale = float(np.sum(np.abs(left)) + np.sum(np.abs(right)))
    close(f"{target.subject}: symmetry of curvature", np.sum(left), np.sum(right), EXACT, scale)
