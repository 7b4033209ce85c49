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
from occore.errors import InputError
from occore.layout import Layout
from occore.linearization import Linearization

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
    def jacobian(self) -> Callable[[float, Array, Controls], Any] | None:
        """T f_x, where f has it."""
        return None if self.field.jacobian is None else self._jacobian

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
        f, part = self.field.linearize(now, x, inner)
        f_t = None if self.field.autonomous else time_rate(self.field, part)
        return T * f, VariableStepLinearization(t, T, f, f_t, part)


@dataclass(frozen=True)
class VariableStepLinearization(Linearization):
    """dg = dT f + T (df + f_t (dt + s dT)). Second derivatives: where f does not depend on t."""

    s: float
    T: float
    f: Array
    f_t: Array | None
    part: Linearization

    def jvp(self, dx: Array, du: Controls) -> Array:
        """The tangent."""
        dt, dT, inner = split(self.s, du)
        df = self.part.jvp(dx, inner)
        return dT * self.f + self.T * (df if self.f_t is None else df + dt * self.f_t)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """Those of f times T, p_t = T ⟨py, f_t⟩ and p_T = ⟨py, f⟩ + s p_t."""
        xp = array_namespace(py)
        px, pu = self.part.vjp(self.T * py)
        pT = xp.sum(py * self.f)
        pt = 0 * pT if self.f_t is None else self.T * xp.sum(py * self.f_t)
        return px, {**pu, BEGIN: pt, LENGTH: pT + self.s * pt}

    @property
    def curvature(self) -> Callable[[Array, Array, Controls], tuple[Array, Controls]] | None:
        """The directional derivative of `vjp`, where f has one and does not depend on t."""
        return None if self.part.curvature is None or self.f_t is not None else self._curvature

    def _curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        assert self.part.curvature is not None  # noqa: S101 - `curvature` asks for it
        _, dT, inner = split(self.s, du)
        hx, hu = self.part.curvature(self.T * py, dx, inner)
        px, pu = self.part.vjp(dT * py)
        pT = array_namespace(py).sum(py * self.part.jvp(dx, inner))
        dpu = {name: hu[name] + pu[name] for name in hu}
        return hx + px, {**dpu, BEGIN: 0 * pT, LENGTH: pT}


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


def time_rate(field: Dynamics, part: Linearization) -> Array:
    """f_t of a linearization at a point. Raises InputError where nobody knows it."""
    derivative = getattr(part, "t_derivative", None)
    if derivative is None:
        raise InputError(
            f"events need the derivative of {type(field).__name__} in t: make time a state with "
            "rate 1, or say autonomous = True in the class where it does not depend on t"
        )
    return derivative()
