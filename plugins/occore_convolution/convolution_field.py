"""The PDE layers on pictures: their options, and the double layers that they are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from occore import ActivationName, Initialisation, InputError, activation
from occore_convolution.differential_operators import POINTS
from occore_convolution.double_layer import DoubleLayer, Parametrisation
from occore_convolution.double_layer_field import DoubleLayerField
from occore_convolution.operator import ConvolutionOperator, Realisation
from occore_convolution.taps import Boundary


@dataclass(frozen=True)
class ConvolutionField(DoubleLayerField):
    """A field on pictures whose K are convolutions."""

    state_shape: tuple[int, ...]
    width: Annotated[
        int | None, Field(gt=0, description="channels of K x; those of x where not given")
    ] = None
    stencil: Annotated[int, Field(gt=0, description="taps along each axis")] = POINTS
    boundary: Annotated[Boundary, Field(description="what is outside; none: K x is inside")] = (
        "zero"
    )
    activation: Annotated[ActivationName, Field(description="σ, entry by entry")] = "tanh"
    bias: Annotated[bool, Field(description="whether there is a b")] = True
    parametrisation: Annotated[
        Parametrisation,
        Field(
            description="the control: stencil K, or coefficients beta of the products of 1, ∂x and "
            "∂xx along the axes (differential), or of 1, ∂x, ∂xx, ∂y, … alone (axial)"
        ),
    ] = "stencil"
    mesh_size: Annotated[
        float,
        Field(gt=0, allow_inf_nan=False, description="h of the derivatives that beta multiplies"),
    ] = 1.0
    initialisation: Annotated[
        Initialisation, Field(description="how K is drawn at the start; b is zero then")
    ] = "glorot"
    realisation: Annotated[Realisation, Field(description="how it is computed")] = "gemm"

    def __post_init__(self) -> None:
        if self.parametrisation != "stencil" and self.stencil != POINTS:
            raise InputError(
                f"stencils of differential operators have {POINTS} taps along each axis, not "
                f'{self.stencil}; take parametrisation = "stencil" for others'
            )
        _ = self.layers  # whose sizes are checked here

    def layer(self, shape: tuple[int, ...], sign: float = -1.0, suffix: str = "") -> DoubleLayer:
        """The double layer for pictures of this shape.

        Raises InputError where that is no (*grid, channels).
        """
        if len(shape) < 2:
            raise InputError(
                f"a convolution takes (*grid, channels); here these are {shape}: put a phase of "
                'kind "picture" before it'
            )
        *grid, channels = shape
        operator = ConvolutionOperator(
            tuple(grid),
            (self.stencil,) * len(grid),
            channels,
            self.width or channels,
            boundary=self.boundary,
            realisation=self.realisation,
        )
        sigma = activation(self.activation)
        return DoubleLayer(
            operator, sigma, self.bias, self.parametrisation, self.mesh_size, sign, suffix
        )
