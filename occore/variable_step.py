"""A step whose start and length are variables: one unit of relative time of a scaled field.

    dx/ds = g(s, x, (u, t, T)) = T f(t + s T, x, u),    s in [0, 1]

The step of any Runge–Kutta method over [0, 1] is its step of f from t over T, so that the products
of the step have the derivatives in t and T beside those in x and u.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from occore.arrays import Array, Controls, array_namespace
from occore.dynamics import Dynamics
from occore.errors import StructureError
from occore.layout import Layout
from occore.linearization import Linearization
from occore.time_control import TIME, linearize_in_time, without_time

BEGIN = "(begin)"
LENGTH = "(length)"


@dataclass(frozen=True)
class VariableStep(Dynamics):
    """T f(t + s T, x, u), with t and T among the controls."""

    field: Dynamics

    @property
    def controls(self) -> Layout:
        """Those of f, t and T."""
        return self.field.controls + Layout({BEGIN: (), LENGTH: ()})

    @property
    def quadratures(self) -> int:
        """Those of f."""
        return self.field.quadratures

    @property
    def jacobian(self) -> Callable[[float, Array, Controls], Any] | None:
        """T f_x, where f has it."""
        return None if self.field.jacobian is None else self._jacobian

    @property
    def splitting(self) -> Callable[[], tuple[Dynamics, Dynamics]] | None:
        """T times both parts, where f has them."""
        return None if self.field.splitting is None else self._splitting

    def _splitting(self) -> tuple[Dynamics, Dynamics]:
        assert self.field.splitting is not None  # noqa: S101 - `splitting` asks for it
        explicit, implicit = self.field.splitting()
        return VariableStep(explicit), VariableStep(implicit)

    @property
    def linear_part(self) -> Callable[[], Array] | None:
        """None that is constant, which whoever asks is told."""
        return None if self.field.linear_part is None else self._linear_part

    def _linear_part(self) -> Array:
        raise StructureError(
            "a step to an event has a length that varies, and so have the matrix functions of an "
            "exponential method: with events take another, such as rk4, dopri5 or rosenbrock"
        )

    def _jacobian(self, t: float, x: Array, u: Controls) -> Any:
        assert self.field.jacobian is not None  # noqa: S101 - `jacobian` asks for it
        now, T, inner = split(t, u)
        return T * self.field.jacobian(now, x, inner)

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """T f."""
        now, T, inner = split(t, u)
        return T * self.field(now, x, inner)

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """T f and its derivative."""
        now, T, inner = split(t, u)
        f, part = linearize_in_time(self.field, now, x, inner)
        return T * f, VariableStepLinearization(t, T, f, part)


@dataclass(frozen=True)
class VariableStepLinearization(Linearization):
    """dg = dT f + T df, with df also along the time t + s T."""

    s: float
    T: float
    f: Array
    part: Linearization

    def jvp(self, dx: Array, du: Controls) -> Array:
        """The tangent."""
        dT, inner = self._direction(dx, du)
        return dT * self.f + self.T * self.part.jvp(dx, inner)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """Those of f times T, and p_T = ⟨py, f⟩ + s p_t."""
        px, pu = self.part.vjp(self.T * py)
        return px, self._adjoint(pu, array_namespace(py).sum(py * self.f))

    @property
    def curvature(self) -> Callable[[Array, Array, Controls], tuple[Array, Controls]] | None:
        """The directional derivative of `vjp`, where f has one."""
        return None if self.part.curvature is None else self._curvature

    def _curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        assert self.part.curvature is not None  # noqa: S101 - `curvature` asks for it
        dT, inner = self._direction(dx, du)
        hx, hu = self.part.curvature(self.T * py, dx, inner)
        px, pu = self.part.vjp(dT * py)
        df = self.part.jvp(dx, inner)
        dpu = {name: hu[name] + pu[name] for name in hu}
        return hx + px, self._adjoint(dpu, array_namespace(py).sum(py * df))

    def _direction(self, dx: Array, du: Controls) -> tuple[float, Controls]:
        """dT, and the direction of the controls of f and its time."""
        dt, dT, inner = split(self.s, du)
        return dT, {**inner, TIME: array_namespace(dx).asarray(dt, dtype=dx.dtype)}

    def _adjoint(self, pu: Controls, pT: Array) -> Controls:
        """Adjoints of t and T in place of that of the time t + s T."""
        return {**without_time(pu), BEGIN: pu[TIME], LENGTH: pT + self.s * pu[TIME]}


def split(s: float, u: Controls) -> tuple[float, float, Controls]:
    """The time t + s T, T, and the controls of f.

    The two are Python scalars, which leave the precision of the arrays as it is.
    """
    begin, T = (np.asarray(u[name]).item() for name in (BEGIN, LENGTH))
    inner = {name: value for name, value in u.items() if name not in (BEGIN, LENGTH)}
    return begin + s * T, T, inner


def variable(control: Controls, t: float, T: float, count: int) -> Controls:
    """Stage controls (count, …) of a step from t over T, with both among them."""
    return {**control, BEGIN: np.full(count, t), LENGTH: np.full(count, T)}
