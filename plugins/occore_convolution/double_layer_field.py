"""What the PDE layers share: fields whose forces are double layers ± Kᵀ σ(K x + b).

The equation (`parabolic`, `hyperbolic`, `hamiltonian`) and the map K, which `layer` gives, are
chosen apart: a final class takes one of each.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import numpy as np

from occore import ActivationName, Controls, Dynamics, Initialisation, Layout, activation
from occore_convolution.double_layer import DoubleLayer


class DoubleLayerField(Dynamics):
    """A field of double layers; a subclass has these fields."""

    state_shape: tuple[int, ...]
    activation: ActivationName
    initialisation: Initialisation

    autonomous = True

    @property
    def kinks(self) -> bool:
        """Where σ has kinks."""
        return not activation(self.activation).smooth

    @abstractmethod
    def layer(self, shape: tuple[int, ...], sign: float = -1.0, suffix: str = "") -> DoubleLayer:
        """The double layer for states of this shape. Raises InputError where it takes none."""

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
