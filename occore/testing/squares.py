"""Checks of Gauss–Newton products and of residuals."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from occore.arrays import Array
from occore.example import Example
from occore.objective import ControlObjective, ObjectiveLinearization, TerminalObjective
from occore.testing.comparison import EXACT, close, require
from occore.testing.objective_maps import Scalar, repeated_targets, scalars
from occore.testing.points import Generator, like, moved
from occore.testing.target import Drawn, draw
from occore.testing.variants import variants


def gauss_newton(example: Example, rng: Generator) -> None:
    """The Gauss–Newton product is linear, symmetric and positive semidefinite."""
    if not isinstance(example.map, (TerminalObjective, ControlObjective)):
        return
    for scalar in _scalars(example):
        at = draw(scalar.target, rng)
        part = scalar.linearize(at.x, at.u)[1]
        d, e = at.d, (like(at.x, rng), like(at.u, rng))

        form = partial(_form, scalar, at, part)
        scale = abs(form(d, d)) + abs(form(e, e))
        close("symmetry of Gauss–Newton", form(d, e), form(e, d), EXACT, scale)
        for a in (d, e):
            require(form(a, a) >= -EXACT * scale, f"Gauss–Newton form {form(a, a):.3g} < 0")
        both = tuple(moved(a, 2.0, b) for a, b in zip(d, e, strict=True))
        expected = form(d, d) + 2 * form(e, d)
        close("linearity of Gauss–Newton", form(both, d), expected, EXACT, scale)


def _form(scalar: Scalar, at: Drawn, part: ObjectiveLinearization, a: Any, b: Any) -> float:
    """⟨b, G a⟩ of directions a and b, G the Gauss–Newton matrix."""
    px, pu = scalar.join(part.gauss_newton_product(scalar.split(*a)), at.x, at.u)
    return float(np.sum(px * b[0])) + sum(float(np.sum(pu[name] * b[1][name])) for name in pu)


def residual(example: Example, rng: Generator) -> None:
    """J = ½‖r‖², with a tangent and an adjoint of r that give the gradient and Gauss–Newton."""
    if not example.map.sum_of_squares:
        return
    for other in variants(example):
        for scalar in scalars(other):
            _residual_of(other, scalar, rng)


def _residual_of(example: Example, scalar: Scalar, rng: Generator) -> None:
    at = draw(scalar.target, rng)
    value, part = scalar.linearize(at.x, at.u)
    require(
        part.residual_jvp is not None and part.residual_vjp is not None,
        "sum_of_squares without residual_jvp and residual_vjp",
    )
    assert part.residual_jvp is not None and part.residual_vjp is not None  # noqa: S101
    r, d = part.residual, scalar.split(*at.d)
    close("½‖r‖²", np.sum(r * r) / 2, value, EXACT)
    close("residual adjoint", *_pairs(scalar, at, part.residual_vjp(r), part.gradient()), EXACT)
    Jd = part.residual_jvp(d)
    require(np.shape(Jd) == np.shape(r), f"residual_jvp has the shape {np.shape(Jd)}")
    product = part.gauss_newton_product(d)
    close("Jᵀ J d", *_pairs(scalar, at, part.residual_vjp(Jd), product), EXACT)
    after, before = (_residual(scalar, at, step) for step in (1e-5, -1e-5))
    # central differences of r: h² of truncation and ε/h of rounding are 1e-10 and 1e-11
    close("J d by differences", (after - before) / 2e-5, Jd, 1e-7)
    if example.map.affine_residual:
        close("affine residual", _residual(scalar, at, 3.0), r + 3.0 * Jd, EXACT)
    scale = getattr(example.map, "residual_scale", None)
    if scale is not None:
        expected = scale(len(at.x)) * (at.x - repeated_targets(example, len(at.x)))
        close("residual_scale", np.ravel(r), np.ravel(expected), EXACT)


def _scalars(example: Example) -> list[Scalar]:
    return [scalar for other in variants(example) for scalar in scalars(other)]


def _pairs(scalar: Scalar, at: Drawn, found: Any, expected: Any) -> tuple[Array, Array]:
    """Two products of a term as vectors, zero where a term leaves a control out."""
    return _vector(scalar, at, found), _vector(scalar, at, expected)


def _vector(scalar: Scalar, at: Drawn, product: Any) -> Array:
    px, pu = scalar.join(product, at.x, at.u)
    return np.concatenate([np.ravel(px), *map(np.ravel, pu.values())])


def _residual(scalar: Scalar, at: Any, step: float) -> Array:
    x, u = (moved(v, step, d) for v, d in zip((at.x, at.u), at.d, strict=True))
    return scalar.linearize(x, u)[1].residual
