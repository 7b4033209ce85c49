"""Half the square of a residual that is linear in the controls: all that D determines.

R(u) = ½‖D u‖²,    ∇R = DᵀD u,    ∇²R = DᵀD,    r = D u
"""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property

from occore import Array, ObjectiveLinearization, PhaseControls, array_namespace


class LinearResidual(ObjectiveLinearization):
    """Value and derivatives of ½‖D u‖²; a subclass knows D and its transpose."""

    controls: PhaseControls

    @abstractmethod
    def residual_jvp(self, d: PhaseControls) -> Array:
        """D d, all controls in one vector."""

    @abstractmethod
    def residual_vjp(self, w: Array) -> PhaseControls:
        """Dᵀ w, for each penalised control."""

    @cached_property
    def residual(self) -> Array:
        """D u."""
        return self.residual_jvp(self.controls)

    @property
    def value(self) -> Array:
        """R, a scalar."""
        r = self.residual
        return array_namespace(r).sum(r * r) / 2

    def gradient(self) -> PhaseControls:
        """DᵀD u."""
        return self.residual_vjp(self.residual)

    def hessian_product(self, d: PhaseControls) -> PhaseControls:
        """DᵀD d."""
        return self.residual_vjp(self.residual_jvp(d))

    def gauss_newton_product(self, d: PhaseControls) -> PhaseControls:
        """All of the Hessian."""
        return self.hessian_product(d)
