"""Instance normalisation: each channel of each sample has mean 0 and deviation 1 over its grid.

y = γ (x − mean)/√(variance + ε) + β over the cells of a channel of a sample, with γ = 1 and β = 0
where they are not trainable. The formulas are in `occore_convolution.normalisation`.

Source: Ulyanov, Vedaldi and Lempitsky, Instance normalization (2016), eq. 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from occore import Example
from occore_convolution.normalisation import Groups, Normalisation
from occore_convolution.windows import require_picture


@dataclass(frozen=True)
class InstanceNormalisation(Normalisation):
    """Mean 0 and deviation 1 of each channel of each sample."""

    state_shape: tuple[int, ...]
    trainable: Annotated[bool, Field(description="a scale γ and shift β for each channel")] = False
    epsilon: Annotated[float, Field(gt=0, description="ε, added to the variance")] = 1e-5

    def __post_init__(self) -> None:
        require_picture("instance normalisation", self.state_shape)

    @property
    def groups(self) -> Groups:
        """All cells of one channel of one sample."""
        return Groups("instance", self.epsilon)

    @classmethod
    def example(cls) -> Example:
        """Both channels deviate by 1 from their means 2 and −3; √(1 + ε) = 5/4."""
        return Example(
            cls(state_shape=(2, 2), trainable=True, epsilon=0.5625),
            x=[[[1.0, -4.0], [3.0, -2.0]]],
            u={"scale": [2.0, 0.5], "shift": [1.0, -1.0]},
            value=[[[-0.6, -1.4], [2.6, -0.6]]],
        )
