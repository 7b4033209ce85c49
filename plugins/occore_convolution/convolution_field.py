"""What the PDE layers share: their options, and the double layers that they are made of."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import (
    ActivationName,
    Controls,
    Dynamics,
    Initialisation,
    InputError,
    Layout,
    activation,
)
from occore_convolution.differential_operators import POINTS
from occore_convolution.double_layer import DoubleLayer, Parametrisation
from occore_convolution.operator import ConvolutionOperator, Realisation
from occore_convolution.taps import Boundary


@dataclass(frozen=True)
class ConvolutionField(Dynamics):
    """A field on pictures whose forces are double layers ± Kᵀ σ(K x + b)."""

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

    autonomous = True

    def __post_init__(self) -> None:
        if self.parametrisation != "stencil" and self.stencil != POINTS:
            raise InputError(
                f"stencils of differential operators have {POINTS} taps along each axis, not "
                f'{self.stencil}; take parametrisation = "stencil" for others'
            )
        _ = self.layers  # whose sizes are checked here

    @property
    def kinks(self) -> bool:
        """Where σ has kinks."""
        return not activation(self.activation).smooth

    @property
    @abstractmethod
    def layers(self) -> tuple[DoubleLayer, ...]:
        """The double layers, in the order of their controls."""

    @abstractmethod
    def bounds(self, u: Controls) -> tuple[float, float]:
        """(ρ, ω) of `spectrum`, where σ never decreases."""

    @property
    def spectrum(self) -> Callable[[Controls], tuple[float, float]] | None:
        """Bounds of the eigenvalues of f_x, unless σ has slopes of both signs."""
        return None if activation(self.activation).steepest is None else self.bounds

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

    @property
    def controls(self) -> Layout:
        """Those of the double layers."""
        layout = Layout({})
        for layer in self.layers:
            layout = layout + layer.controls
        return layout

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """Stencils as `initialisation` says, in coefficients where these are controls; b zero."""
        u = self.controls.zeros()
        for layer in self.layers:
            K = layer.operator.initial_stencil(self.initialisation, rng)
            u[layer.stencil_name] = layer.coefficients(K)
        return u
