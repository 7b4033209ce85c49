"""A field with its horizon as a control, on the unit interval of relative time.

    dx/ds = g(s, x, (u, T)) = T f(x, u),    s in [0, 1]

A free horizon is then an unknown like any other. f must not depend on t.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from occore.arrays import Array, Controls, array_namespace
from occore.dynamics import Dynamics
from occore.layout import Layout
from occore.linearization import Linearization

HORIZON = "horizon"


@dataclass(frozen=True)
class TimeScaled(Dynamics):
    """T f(x, u) with the control `horizon` beside those of f."""

    field: Dynamics
    autonomous: ClassVar[bool] = True

    @property
    def controls(self) -> Layout:
        """Those of f, and T, a scalar."""
        return self.field.controls + Layout({HORIZON: ()})

    @property
    def constants(self) -> frozenset[str]:
        """Those of f, and T."""
        return self.field.constants | {HORIZON}

    @property
    def quadratures(self) -> int:
        """Those of f."""
        return self.field.quadratures

    @property
    def jacobian(self) -> Callable[[float, Array, Controls], Any] | None:
        """T f_x, where f has it."""
        return None if self.field.jacobian is None else self._jacobian

    def _jacobian(self, t: float, x: Array, u: Controls) -> Any:
        assert self.field.jacobian is not None  # noqa: S101 - `jacobian` asks for it
        return u[HORIZON] * self.field.jacobian(0.0, x, _inner(u))

    @property
    def splitting(self) -> Callable[[], tuple[Dynamics, Dynamics]] | None:
        """T times that of f, where f has it."""
        return None if self.field.splitting is None else self._splitting

    def _splitting(self) -> tuple[Dynamics, Dynamics]:
        assert self.field.splitting is not None  # noqa: S101 - `splitting` asks for it
        explicit, implicit = self.field.splitting()
        return TimeScaled(explicit), TimeScaled(implicit)

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """Those of f; the phase sets T."""
        return {**self.field.initial_controls(rng), HORIZON: np.ones(())}

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """T f."""
        return u[HORIZON] * self.field(0.0, x, _inner(u))

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """T f and its derivative."""
        f, part = self.field.linearize(0.0, x, _inner(u))
        return u[HORIZON] * f, TimeScaledLinearization(u[HORIZON], f, part)


@dataclass(frozen=True)
class TimeScaledLinearization(Linearization):
    """dg = T df + dT f."""

    T: Array
    f: Array
    part: Linearization

    def jvp(self, dx: Array, du: Controls) -> Array:
        """T df + dT f."""
        return self.T * self.part.jvp(dx, _inner(du)) + du[HORIZON] * self.f

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """Those of f times T, and ⟨py, f⟩."""
        px, pu = self.part.vjp(self.T * py)
        return px, {**pu, HORIZON: array_namespace(py).sum(py * self.f)}

    @property
    def curvature(self):
        """The directional derivative of `vjp`, where f has one."""
        return None if self.part.curvature is None else self._curvature

    def _curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        inner, dT = _inner(du), du[HORIZON]
        assert self.part.curvature is not None  # noqa: S101 - `curvature` asks for it
        hx, hu = self.part.curvature(self.T * py, dx, inner)
        px, pu = self.part.vjp(dT * py)
        df = self.part.jvp(dx, inner)
        dpu = {name: hu[name] + pu[name] for name in hu}
        return hx + px, {**dpu, HORIZON: array_namespace(py).sum(py * df)}


def _inner(u: Controls) -> Controls:
    return {name: value for name, value in u.items() if name != HORIZON}
