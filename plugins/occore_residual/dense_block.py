"""Dense residual block: the block of `residual_block` on vectors, with matrices for weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from occore import ActivationName, Dynamics, Example
from occore_residual.residual_block import ResidualBlock
from occore_residual.shortcut import PaddedShortcut
from occore_single_layer.dense import Dense


@dataclass(frozen=True)
class DenseBlock(ResidualBlock):
    """Shortcut and branch of vectors."""

    width: Annotated[
        int | None, Field(gt=0, description="entries of the value; of the state where not given")
    ] = None

    def weights(self, shape: tuple[int, ...], first: bool) -> Dynamics:
        """K x + b."""
        return Dense(shape, self._width, "identity", self.bias, self.initialisation)

    def pointwise_weights(self, activation: ActivationName, bias: bool) -> Dynamics:
        """σ(W x + b)."""
        return Dense(self.state_shape, self._width, activation, bias, self.initialisation)

    @property
    def padded(self) -> PaddedShortcut:
        """Zeros behind the entries of x."""
        return PaddedShortcut(self.state_shape, self._width)

    @property
    def _width(self) -> int:
        return self.width or self.state_shape[-1]

    @classmethod
    def example(cls) -> Example:
        """σ(x) = ½, K₁ σ(x) + b₁ = ½ + ¼, K₂ · + b₂ = −¾ + ½, and y = ½ λ + h (−¼), by hand."""
        return Example(
            cls(state_shape=(1,), scale=0.5, branch_scale=2.0, epsilon=0.5),
            x=[[0.5]],
            u={"K1": [[1.0]], "b1": [0.25], "K2": [[-1.0]], "b2": [0.5]},
            value=[[-0.25]],
        )
