"""Instance normalisation: each channel of each sample has mean 0 and deviation 1 over its grid.

y = γ (x − mean)/√(variance + ε) + β over the cells of a channel of a sample, with γ = 1 and β = 0
where they are not trainable. The formulas are in `occore_convolution.normalisation`.

Source: Ulyanov, Vedaldi and Lempitsky, Instance normalization (2016), eq. 3.
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
from occore_convolution.windows import require_picture


@dataclass(frozen=True)
class InstanceNormalisation(Dynamics):
    """Mean 0 and deviation 1 of each channel of each sample."""

    state_shape: tuple[int, ...]
    trainable: Annotated[bool, Field(description="a scale γ and shift β for each channel")] = False
    epsilon: Annotated[float, Field(gt=0, description="ε, added to the variance")] = 1e-5

    autonomous = True
    affine_in_controls = True

    def __post_init__(self) -> None:
        require_picture("instance normalisation", self.state_shape)

    @property
    def controls(self) -> Layout:
        """scale and shift (channels,), where they are trainable."""
        return scale_and_shift(self.state_shape[-1], self.trainable)

    @property
    def groups(self) -> Groups:
        """All cells of one channel of one sample."""
        return Groups("instance", self.epsilon)

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
        """Both channels deviate by 1 from their means 2 and −3; √(1 + ε) = 5/4."""
        return Example(
            cls(state_shape=(2, 2), trainable=True, epsilon=0.5625),
            x=[[[1.0, -4.0], [3.0, -2.0]]],
            u={"scale": [2.0, 0.5], "shift": [1.0, -1.0]},
            value=[[[-0.6, -1.4], [2.6, -0.6]]],
        )
