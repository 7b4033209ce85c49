"""Layers with an activation: y = σ(s), where only the argument s(x, u) is the layer's own.

Derivatives, ∘ entry by entry, with s' the derivative of the argument:

    dy = σ'(s) ∘ ds,  ds = s'(dx, du);    q = σ'(s) ∘ py,  (px, pu) = s'ᵀ q

and of these along (dx, du), where py changes by dp:  dq = σ'(s) ∘ dp + σ''(s) ∘ ds ∘ py, which is
how q changes in the second-order products of s'.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from occore import (
    Activation,
    ActivationName,
    Array,
    Controls,
    Dynamics,
    JointSecond,
    Linearization,
    activation,
    overridable,
)


class ActivatedLayer(Dynamics):
    """σ(s(x, u)); a subclass has the field `activation` and knows s."""

    activation: ActivationName

    autonomous = True

    @property
    def kinks(self) -> bool:
        """Where σ has kinks."""
        return not activation(self.activation).smooth

    @abstractmethod
    def argument(self, x: Array, u: Controls) -> Array:
        """s, (samples, *output_shape)."""

    @abstractmethod
    def linearize_argument(self, x: Array, u: Controls) -> tuple[Array, Any]:
        """s and its derivative, which has every optional product of a `Linearization`."""

    @overridable
    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """σ(s) of each sample."""
        return activation(self.activation)(self.argument(x, u))

    @overridable
    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative."""
        s, part = self.linearize_argument(x, u)
        if self.activation == "identity":
            return s, part
        sigma = activation(self.activation)
        y = sigma(s)
        return y, ActivatedLinearization(sigma, part, s, y)


@dataclass(frozen=True)
class ActivatedLinearization(JointSecond):
    """The derivative of σ(s); see the head of the module."""

    sigma: Activation
    argument: Any
    s: Array
    y: Array

    @cached_property
    def slope(self) -> Array:
        """σ'(s), when first asked for: a pass over the samples."""
        return self.sigma.slope(self.s, self.y)

    def jvp(self, dx: Array, du: Controls) -> Array:
        """σ'(s) ∘ ds."""
        return self.slope * self.argument.jvp(dx, du)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """s'ᵀ q."""
        return self.argument.vjp(self.slope * py)

    def control_jvp(self, du: Controls) -> Array:
        """σ'(s) ∘ ds of dx = 0."""
        return self.slope * self.argument.control_jvp(du)

    def control_vjp(self, py: Array) -> Controls:
        """Those of `vjp`."""
        return self.argument.control_vjp(self.slope * py)

    @property
    def control_of_each(self) -> Callable[[Array], Controls] | None:
        """That of the argument, of q, where it has one."""
        inner = self.argument.control_of_each
        return None if inner is None else lambda py: inner(self.slope * py)

    def second(
        self, py: Array, dp: Array, dx: Array, du: Controls
    ) -> tuple[Array, Array, Controls]:
        """Those of s', where q changes by dq."""
        dq = self._dq(py, dp, self.argument.jvp(dx, du))
        return self.argument.second(self.slope * py, dq, dx, du)

    def control_second(self, py: Array, dp: Array, du: Controls) -> Controls:
        """The last of `second` for dx = 0."""
        dq = self._dq(py, dp, self.argument.control_jvp(du))
        return self.argument.control_second(self.slope * py, dq, du)

    def _dq(self, py: Array, dp: Array, ds: Array) -> Array:
        return self.slope * dp + self.sigma.bend(self.s, self.y) * ds * py
