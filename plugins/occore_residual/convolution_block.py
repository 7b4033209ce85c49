"""Convolutional residual block: the block of `residual_block` on pictures, with stencils."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from occore import ActivationName, Dynamics, Example
from occore_convolution.convolution import Convolution
from occore_residual.residual_block import ResidualBlock
from occore_residual.shortcut import PaddedShortcut


@dataclass(frozen=True)
class ConvolutionBlock(ResidualBlock):
    """Shortcut and branch of pictures, with zeros outside; the first stencil may have a stride."""

    channels: Annotated[
        int | None, Field(gt=0, description="of the value; those of the state where not given")
    ] = None
    stencil: Annotated[int, Field(gt=0, description="taps along each axis")] = 3
    stride: Annotated[int, Field(gt=0, description="cells from one output to the next")] = 1

    def weights(self, shape: tuple[int, ...], first: bool) -> Dynamics:
        """conv(x; K) + b."""
        return self._convolution(shape, self.stencil, first, "identity", self.bias)

    def pointwise_weights(self, activation: ActivationName, bias: bool) -> Dynamics:
        """σ(W x + b) of every `stride`-th cell."""
        return self._convolution(self.state_shape, 1, True, activation, bias)

    def _convolution(
        self,
        shape: tuple[int, ...],
        stencil: int,
        first: bool,
        activation: ActivationName,
        bias: bool,
    ) -> Dynamics:
        return Convolution(
            shape,
            self._channels,
            stencil,
            stride=self.stride if first else 1,
            activation=activation,
            bias=bias,
            initialisation=self.initialisation,
        )

    @property
    def padded(self) -> PaddedShortcut:
        """Every `stride`-th cell, zeros behind its channels."""
        return PaddedShortcut(self.state_shape, self._channels, self.stride)

    @property
    def _channels(self) -> int:
        return self.channels or self.state_shape[-1]

    @classmethod
    def example(cls) -> Example:
        """Cells (½, ¼), taps (−1, ½, 2), zero outside, b = ¼, one layer in post order, by hand.

        K x + b = (¼ + ½ + ¼, −½ + ⅛ + ¼), and y = σ(x + K x + b).
        """
        return Example(
            cls(state_shape=(2, 1), layers=1, order="post", epsilon=0.5),
            x=[[[0.5], [0.25]]],
            u={"K1": [[[-1.0]], [[0.5]], [[2.0]]], "b1": [0.25]},
            value=[[[1.5], [0.125]]],
        )
