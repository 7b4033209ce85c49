"""Layers as the parts of one map of (x, u): each reads its own controls, named with an ending."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from occore import Array, Controls, Dynamics, JointSecond, Layout, Linearization, second_adjoint


@dataclass(frozen=True)
class Part:
    """A layer whose controls are named with an ending."""

    layer: Dynamics
    ending: str = ""

    @property
    def controls(self) -> Layout:
        """Those of the layer."""
        return Layout({name + self.ending: s for name, s in self.layer.controls.shapes.items()})

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """Those of the layer."""
        u = self.layer.initial_controls(rng)
        return {name + self.ending: value for name, value in u.items()}

    def own(self, u: Controls) -> Controls:
        """The controls of the layer, by its names."""
        return {name: u[name + self.ending] for name in self.layer.controls}

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """The value of the layer."""
        return self.layer(t, x, self.own(u))

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, PartLinearization]:
        """The value and its derivative."""
        y, part = self.layer.linearize(t, x, self.own(u))
        return y, PartLinearization(self, part)


@dataclass(frozen=True)
class PartLinearization(JointSecond):
    """That of the layer; adjoints have the names with the ending."""

    part: Part
    layer: Linearization

    def jvp(self, dx: Array, du: Controls) -> Array:
        """Along the layer's own controls."""
        return self.layer.jvp(dx, self.part.own(du))

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """pu of the layer's own controls alone."""
        px, pu = self.layer.vjp(py)
        return px, self._named(pu)

    def second(
        self, py: Array, dp: Array, dx: Array, du: Controls
    ) -> tuple[Array, Array, Controls]:
        """Likewise."""
        px, dpx, dpu = second_adjoint(self.layer, py, dp, dx, self.part.own(du))
        return px, dpx, self._named(dpu)

    def _named(self, pu: Controls) -> Controls:
        return {name + self.part.ending: value for name, value in pu.items()}


@dataclass(frozen=True)
class Succession:
    """Parts one after the other; the state itself where there are none."""

    parts: tuple[Part, ...]

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """The value of the last."""
        for part in self.parts:
            x = part(t, x, u)
        return x

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, SuccessionLinearization]:
        """The value and its derivative."""
        made = []
        for part in self.parts:
            x, linearization = part.linearize(t, x, u)
            made.append(linearization)
        return x, SuccessionLinearization(made)


@dataclass(frozen=True)
class SuccessionLinearization(JointSecond):
    """The derivative of maps one after the other, which have controls of their own."""

    parts: Sequence[Linearization]

    def jvp(self, dx: Array, du: Controls) -> Array:
        """Forward."""
        for part in self.parts:
            dx = part.jvp(dx, du)
        return dx

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """Backward."""
        pu: Controls = {}
        for part in reversed(self.parts):
            py, own = part.vjp(py)
            pu |= own
        return py, pu

    def second(
        self, py: Array, dp: Array, dx: Array, du: Controls
    ) -> tuple[Array, Array, Controls]:
        """Forward for the tangents, then backward."""
        tangents, dpu = [dx], {}
        for part in self.parts[:-1]:
            tangents.append(part.jvp(tangents[-1], du))
        for part, tangent in zip(reversed(self.parts), reversed(tangents), strict=False):
            py, dp, own = second_adjoint(part, py, dp, tangent, du)
            dpu |= own
        return py, dp, dpu
