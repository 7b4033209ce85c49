"""The PDE layers on vectors: their options, and the double layers that they are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from occore import ActivationName, Initialisation, InputError, activation
from occore_convolution.double_layer import DoubleLayer
from occore_convolution.double_layer_field import DoubleLayerField
from occore_residual.matrix_operator import MatrixOperator


@dataclass(frozen=True)
class DenseField(DoubleLayerField):
    """A field on vectors whose K are matrices."""

    state_shape: tuple[int, ...]
    width: Annotated[
        int | None, Field(gt=0, description="rows of K; entries of x where not given")
    ] = None
    activation: Annotated[ActivationName, Field(description="σ, entry by entry")] = "tanh"
    bias: Annotated[bool, Field(description="whether there is a b")] = True
    initialisation: Annotated[
        Initialisation, Field(description="how K is drawn at the start; b is zero then")
    ] = "glorot"

    def __post_init__(self) -> None:
        _ = self.layers  # whose sizes are checked here

    def layer(self, shape: tuple[int, ...], sign: float = -1.0, suffix: str = "") -> DoubleLayer:
        """The double layer for vectors of this shape. Raises InputError where it is no vector."""
        if len(shape) != 1:
            raise InputError(
                f"takes vectors of features, or pairs of them; here these have the shape {shape}: "
                'put a phase of kind "flatten" before it'
            )
        operator = MatrixOperator(shape[0], self.width or shape[0])
        return DoubleLayer(
            operator, activation(self.activation), self.bias, sign=sign, suffix=suffix
        )
