"""TV normalisation: the channels at each cell, divided by the root of the sum of their squares.

y = γ x/√(Σ x² + ε) + β, the sum over the channels of a cell, with γ = 1 and β = 0 where they are
not trainable. √(Σ x² + ε), summed over the cells, is a smoothed total variation where the channels
are derivatives, whence the name. The formulas are in `occore_convolution.normalisation`.

Source: Ruthotto and Haber, Deep neural networks motivated by partial differential equations (2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from occore import Example
from occore_convolution.normalisation import Groups, Normalisation


@dataclass(frozen=True)
class TVNormalisation(Normalisation):
    """The channels at each cell over the root of the sum of their squares."""

    state_shape: tuple[int, ...]
    trainable: Annotated[bool, Field(description="a scale γ and shift β for each channel")] = False
    epsilon: Annotated[float, Field(gt=0, description="ε, added to the sum of squares")] = 1e-5

    @property
    def groups(self) -> Groups:
        """All channels at one cell of one sample."""
        return Groups("TV", self.epsilon)

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
