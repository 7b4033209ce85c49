"""Compositions of shears: explicit symplectic steps of a separable problem.

    x = (q, p, c),    dq/dt = f_q(t, p, u),    dp/dt = f_p(t, q, u),    dc/dt = ℓ(t, q, p, u)
    x ← x + h w P f(t + c h, x, u)

P keeps the rates of one part of the state and sets the others to zero: of q or p, the halves of the
first axis, or of running costs c behind them, which the trapezoidal rule sums, since ℓ may depend
on both halves. A shear with the rates negated undoes it. That f is separable is not checked: where
it is not, the derivatives stay exact, but the step is not symplectic, reversible or of order 2.

    tangent    dx ← dx + h w P f'(dx, du)
    adjoint    (g, gu) = f'ᵀ (h w P p),    p ← p + g
    second     (dg, dgu) = d(f'ᵀ)[dx, du] (h w P p) + f'ᵀ (h w P dp),    dp ← dp + dg

Hairer, Lubich and Wanner, Geometric Numerical Integration (2006), sections I.1.4 and II.5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

from occore import (
    Array,
    Controls,
    Discretization,
    Dynamics,
    Linearization,
    StructureError,
    abstract_attribute,
    array_namespace,
)
from occore_continuous.discretizations.stages import add, at, gather, reverse

ABSCISSAE = (0.0, 0.5, 1.0)


@dataclass(frozen=True)
class Shear:
    """weight: w. place: of the time among the abscissae. moves: the part of x that P keeps."""

    weight: float
    place: int
    moves: Literal["q", "p", "c"]

    def rates(self, h: float, f: Array, costs: int) -> Array:
        """h w P f, where the last entries are running costs."""
        n, half = f.shape[1], (f.shape[1] - costs) // 2
        first, last = {"q": (0, half), "p": (half, n - costs), "c": (n - costs, n)}[self.moves]
        xp = array_namespace(f)
        before, after = xp.zeros_like(f[:, :first]), xp.zeros_like(f[:, last:])
        return xp.concat([before, h * self.weight * f[:, first:last], after], axis=1)

    def adjoint(self, h: float, p: Array, costs: int) -> Array:
        """(h w P)ᵀ p: the same, since P is diagonal."""
        return self.rates(h, p, costs)


class Shears(Discretization):
    """Steps by a symmetric sequence of shears, which is all that a method gives."""

    shears: ClassVar[tuple[Shear, ...]] = abstract_attribute()
    abscissae: ClassVar[tuple[float, ...]] = ABSCISSAE
    reach: ClassVar[tuple[float, float] | None] = (0.0, 2.0)

    def step(self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls) -> Array:
        """All shears, one after the other."""
        for shear in self._sequence(dynamics, x):
            time, u = t + ABSCISSAE[shear.place] * h, at(control, shear.place)
            x = x + shear.rates(h, dynamics(time, x, u), dynamics.quadratures)
        return x

    def linearize_step(
        self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls
    ) -> tuple[Array, Linearization]:
        """The step, and its derivative shear by shear."""
        parts, sequence = [], self._sequence(dynamics, x)
        for shear in sequence:
            time, u = t + ABSCISSAE[shear.place] * h, at(control, shear.place)
            f, part = dynamics.linearize(time, x, u)
            x = x + shear.rates(h, f, dynamics.quadratures)
            parts.append(part)
        return x, ShearsLinearization(sequence, h, dynamics.quadratures, tuple(parts))

    def retreat(self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls) -> Array:
        """The step with −h from t + h: the sequence is symmetric."""
        return self.step(dynamics, t + h, -h, x, reverse(control))

    def _sequence(self, dynamics: Dynamics, x: Array) -> tuple[Shear, ...]:
        """The shears, between two of the running costs where there are any.

        Raises StructureError where q and p are not of one size.
        """
        size = x.shape[1] - dynamics.quadratures
        if size % 2:
            raise StructureError(
                f"{type(self).__name__} takes a state (q, p), its first axis cut in the middle; "
                f"that of {type(dynamics).__name__} has {size} entries. Methods that take any "
                "state: rk4, dopri5"
            )
        if not dynamics.quadratures:
            return self.shears
        return Shear(0.5, 0, "c"), *self.shears, Shear(0.5, 2, "c")


@dataclass(frozen=True)
class ShearsLinearization(Linearization):
    """Products of a composition of shears."""

    shears: tuple[Shear, ...]
    h: float
    costs: int
    parts: tuple[Linearization, ...]

    def jvp(self, dx: Array, du: Controls) -> Array:
        """Forward through the shears."""
        for shear, part in zip(self.shears, self.parts, strict=True):
            dx = dx + shear.rates(self.h, part.jvp(dx, at(du, shear.place)), self.costs)
        return dx

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """Backward through the shears."""
        gu: list[Controls] = []
        for shear, part in zip(reversed(self.shears), reversed(self.parts), strict=True):
            g, pu = part.vjp(shear.adjoint(self.h, py, self.costs))
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
            dx = dx + shear.rates(self.h, part.jvp(dx, at(du, shear.place)), self.costs)
        dgu: list[Controls] = []
        for shear, part, tangent in zip(
            reversed(self.shears), reversed(self.parts), reversed(tangents), strict=True
        ):
            assert part.curvature is not None  # noqa: S101 - `curvature` asks for it
            p = shear.adjoint(self.h, py, self.costs)
            second, second_u = part.curvature(p, tangent, at(du, shear.place))
            first, first_u = part.vjp(shear.adjoint(self.h, dp, self.costs))
            g, _ = part.vjp(p)
            py, dp = py + g, dp + first + second
            dgu.append(add(first_u, second_u))
        return dp, self._gather(dgu)

    def _gather(self, gu: list[Controls]) -> Controls:
        places = [shear.place for shear in reversed(self.shears)]
        return gather(gu, places, len(ABSCISSAE))
