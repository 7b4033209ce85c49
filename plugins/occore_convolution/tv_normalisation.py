"""TV normalisation: the channels at each cell, divided by the root of the sum of their squares.

y = γ x/√(Σ x² + ε) + β, the sum over the channels of a cell, with γ = 1 and β = 0 where they are
not trainable. √(Σ x² + ε), summed over the cells, is a smoothed total variation where the channels
are derivatives, whence the name. The formulas are in `occore_convolution.normalisation`.

Source: Ruthotto and Haber, Deep neural networks motivated by partial differential equations (2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Array, Controls, Dynamics, Example, Layout, Linearization
from occore_convolution.normalisation import (
    Groups,
    linearize_normalised,
    normalised,
    scale_and_shift,
    unit_scale,
)


@dataclass(frozen=True)
class TVNormalisation(Dynamics):
    """The channels at each cell over the root of the sum of their squares."""

    state_shape: tuple[int, ...]
    trainable: Annotated[bool, Field(description="a scale γ and shift β for each channel")] = False
    epsilon: Annotated[float, Field(gt=0, description="ε, added to the sum of squares")] = 1e-5

    autonomous = True
    affine_in_controls = True

    @property
    def controls(self) -> Layout:
        """scale and shift (channels,), where they are trainable."""
        return scale_and_shift(self.state_shape[-1], self.trainable)

    @property
    def groups(self) -> Groups:
        """All channels at one cell of one sample."""
        return Groups("TV", self.epsilon)

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """γ = 1, β = 0."""
        return unit_scale(self.controls)

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """The normalised pictures."""
        return normalised(self.groups, x, u)

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative."""
        return linearize_normalised(self.groups, x, u)

    @classmethod
    def example(cls) -> Example:
        """At one cell √(0.6² + 0.8² + ε) = 1.2, at the other √(0.3² + 0.4² + ε) = √0.69."""
        root = 0.69**0.5
        return Example(
            cls(state_shape=(2, 2), trainable=True, epsilon=0.44),
            x=[[[0.6, -0.8], [0.3, 0.4]]],
            u={"scale": [2.0, -3.0], "shift": [1.0, -0.5]},
            value=[[[2.0, 1.5], [1 + 0.6 / root, -0.5 - 1.2 / root]]],
        )
