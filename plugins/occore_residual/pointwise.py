"""Activation: σ of each entry, as a layer of its own, such as behind a normalisation.

f(x) = σ(x); there are no controls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from occore import ActivationName, Array, Controls, Example, JointSecond, Layout
from occore_single_layer.activated import ActivatedLayer


@dataclass(frozen=True)
class PointwiseActivation(ActivatedLayer):
    """σ(x), entry by entry."""

    activation: Annotated[ActivationName, Field(description="σ")] = "relu"

    controls = Layout({})
    affine_in_controls = True

    def argument(self, x: Array, u: Controls) -> Array:
        """x itself."""
        return +x

    def linearize_argument(self, x: Array, u: Controls) -> tuple[Array, Unchanged]:
        """x and its derivative."""
        return +x, Unchanged(x)

    @classmethod
    def example(cls) -> Example:
        """tanh(1/2) and tanh(−1)."""
        return Example(cls("tanh"), x=[[0.5, -1.0]], u={}, value=[[math.tanh(0.5), math.tanh(-1)]])


@dataclass(frozen=True)
class Unchanged(JointSecond):
    """The derivative of x in x and no controls."""

    x: Array

    def jvp(self, dx: Array, du: Controls) -> Array:
        """dx."""
        return +dx

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """py."""
        return +py, {}

    def second(
        self, py: Array, dp: Array, dx: Array, du: Controls
    ) -> tuple[Array, Array, Controls]:
        """py and dp."""
        return +py, +dp, {}

    def control_jvp(self, du: Controls) -> Array:
        """Zero."""
        return 0 * self.x

    def control_vjp(self, py: Array) -> Controls:
        """None."""
        return {}

    def control_second(self, py: Array, dp: Array, du: Controls) -> Controls:
        """None."""
        return {}
