"""Compositions of shears: explicit symplectic steps of a separable problem.

    x = (q, p),    dq/dt = f_q(t, p, u),    dp/dt = f_p(t, q, u)
    x ← x + h w P f(t + c h, x, u)

P keeps the rates of one half of the state, its first axis cut in the middle, and sets the other to
zero. A shear with the rates negated undoes it. Nothing is checked at run time: for an f that is
not separable the derivatives stay exact, but the step is not symplectic, reversible or of order 2.

    tangent    dx ← dx + h w P f'(dx, du)
    adjoint    (g, gu) = f'ᵀ (h w P p),    p ← p + g
    second     (dg, dgu) = d(f'ᵀ)[dx, du] (h w P p) + f'ᵀ (h w P dp),    dp ← dp + dg

Hairer, Lubich and Wanner, Geometric Numerical Integration (2006), sections I.1.4 and II.5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from occore import (
    Array,
    Controls,
    Discretization,
    Dynamics,
    Linearization,
    abstract_attribute,
    array_namespace,
)
from occore_continuous.discretizations.stages import add, at, gather, reverse

ABSCISSAE = (0.0, 0.5, 1.0)


@dataclass(frozen=True)
class Shear:
    """weight: w. place: of the time c among the abscissae. kick: whether p moves, else q."""

    weight: float
    place: int
    kick: bool

    def rates(self, h: float, f: Array) -> Array:
        """h w P f."""
        xp, half = array_namespace(f), f.shape[1] // 2
        moved = h * self.weight * (f[:, half:] if self.kick else f[:, :half])
        still = xp.zeros_like(f[:, :half] if self.kick else f[:, half:])
        return xp.concat([still, moved] if self.kick else [moved, still], axis=1)

    def adjoint(self, h: float, p: Array) -> Array:
        """(h w P)ᵀ p: the same, since P is diagonal."""
        return self.rates(h, p)


class Shears(Discretization):
    """Steps by a symmetric sequence of shears, which is all that a method gives."""

    shears: ClassVar[tuple[Shear, ...]] = abstract_attribute()
    abscissae: ClassVar[tuple[float, ...]] = ABSCISSAE

    def step(self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls) -> Array:
        """All shears, one after the other."""
        for shear in self.shears:
            time, u = t + ABSCISSAE[shear.place] * h, at(control, shear.place)
            x = x + shear.rates(h, dynamics(time, x, u))
        return x

    def linearize_step(
        self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls
    ) -> tuple[Array, Linearization]:
        """The step, and its derivative shear by shear."""
        parts = []
        for shear in self.shears:
            time, u = t + ABSCISSAE[shear.place] * h, at(control, shear.place)
            f, part = dynamics.linearize(time, x, u)
            x = x + shear.rates(h, f)
            parts.append(part)
        return x, ShearsLinearization(self.shears, h, tuple(parts))

    def retreat(self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls) -> Array:
        """The step with −h from t + h: the sequence is symmetric."""
        return self.step(dynamics, t + h, -h, x, reverse(control))


@dataclass(frozen=True)
class ShearsLinearization(Linearization):
    """Products of a composition of shears."""

    shears: tuple[Shear, ...]
    h: float
    parts: tuple[Linearization, ...]

    def jvp(self, dx: Array, du: Controls) -> Array:
        """Forward through the shears."""
        for shear, part in zip(self.shears, self.parts, strict=True):
            dx = dx + shear.rates(self.h, part.jvp(dx, at(du, shear.place)))
        return dx

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """Backward through the shears."""
        gu: list[Controls] = []
        for shear, part in zip(reversed(self.shears), reversed(self.parts), strict=True):
            g, pu = part.vjp(shear.adjoint(self.h, py))
            py = py + g
            gu.append(pu)
        return py, self._gather(gu)

    @property
    def curvature(self) -> Callable[[Array, Array, Controls], tuple[Array, Controls]] | None:
        """Where f has second derivatives."""
        return self._curvature if all(part.curvature for part in self.parts) else None

    def _curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        tangents, dp = [], 0 * py
        for shear, part in zip(self.shears, self.parts, strict=True):
            tangents.append(dx)
            dx = dx + shear.rates(self.h, part.jvp(dx, at(du, shear.place)))
        dgu: list[Controls] = []
        for shear, part, tangent in zip(
            reversed(self.shears), reversed(self.parts), reversed(tangents), strict=True
        ):
            assert part.curvature is not None  # noqa: S101 - `curvature` asks for it
            p = shear.adjoint(self.h, py)
            second, second_u = part.curvature(p, tangent, at(du, shear.place))
            first, first_u = part.vjp(shear.adjoint(self.h, dp))
            g, _ = part.vjp(p)
            py, dp = py + g, dp + first + second
            dgu.append(add(first_u, second_u))
        return dp, self._gather(dgu)

    def _gather(self, gu: list[Controls]) -> Controls:
        places = [shear.place for shear in reversed(self.shears)]
        return gather(gu, places, len(ABSCISSAE))
