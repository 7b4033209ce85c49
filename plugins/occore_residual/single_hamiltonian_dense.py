"""Single-layer Hamiltonian dense field: one matrix, used forth and back.

dy/dt = σ(K z + b),    dz/dt = −σ(Kᵀ y + b)

symbol   code                shape                  meaning
y, z     x[:, 0], x[:, 1]    (samples, n), both     a pair of vectors
K, b     u["K"], u["b"]      (n, n), (n,)           controls; b where `bias` is true
p, d                                                adjoint, tangent of what follows

The Jacobian is [[0, D₁ K], [−D₂ Kᵀ, 0]] with diagonal D = σ', so for σ' ≥ 0 the squares of its
eigenvalues are those of −D₁ K D₂ Kᵀ: they are imaginary, ω ≤ max σ' ‖K‖. Steps by `verlet` or
`leapfrog`. Both halves are dense layers, of K and of Kᵀ; the adjoint of K is the sum of that of the
one and the transpose of that of the other.

Source: Haber and Ruthotto, Stable architectures for deep neural networks, Inverse Problems 34
(2018), section 3.2, the Hamiltonian inspired network.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import (
    ActivationName,
    Array,
    Controls,
    Dynamics,
    Example,
    Initialisation,
    Layout,
    Linearization,
    activation,
)
from occore_convolution.separable import SeparableLinearization, half_shape, halves, joined
from occore_single_layer.dense import Dense

BACK = {"K": "K back", "b": "b back"}
"""Names that the controls of the layer of Kᵀ have beside those of the layer of K."""


@dataclass(frozen=True)
class SingleHamiltonianDense(Dynamics):
    """(σ(K z + b), −σ(Kᵀ y + b)) of a state (2, n)."""

    state_shape: tuple[int, ...]
    activation: Annotated[ActivationName, Field(description="σ, entry by entry")] = "tanh"
    bias: Annotated[bool, Field(description="whether there is a b")] = True
    initialisation: Annotated[
        Initialisation, Field(description="how K is drawn at the start; b is zero then")
    ] = "glorot"

    autonomous = True

    def __post_init__(self) -> None:
        _ = self.dense  # whose size is checked here

    @cached_property
    def dense(self) -> Dense:
        """The layer of K. Raises InputError where the state is no pair of vectors."""
        shape = half_shape(self.state_shape)
        return Dense(shape, math.prod(shape), self.activation, self.bias, self.initialisation)

    @property
    def kinks(self) -> bool:
        """Where σ has kinks."""
        return self.dense.kinks

    @property
    def controls(self) -> Layout:
        """K (n, n) and b (n,)."""
        return self.dense.controls

    @property
    def spectrum(self) -> Callable[[Controls], tuple[float, float]] | None:
        """(0, max σ' ‖K‖), unless σ has slopes of both signs."""
        steepest = activation(self.activation).steepest
        if steepest is None:
            return None
        return lambda u: (0.0, steepest * float(np.linalg.norm(u["K"], 2)))

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """Those of the dense layer."""
        return self.dense.initial_controls(rng)

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """The rates of change of y and z."""
        y, z = halves(x)
        return joined(self.dense(t, z, u), -self.dense(t, y, turned(u)))

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative."""
        y, z = halves(x)
        dy, forth = self.dense.linearize(t, z, u)
        dz, back = self.dense.linearize(t, y, turned(u))
        return joined(dy, -dz), SharedLinearization(SeparableLinearization(forth, Back(back)))

    @classmethod
    def example(cls) -> Example:
        """K z + b = (1 + ½ + ¼, −½ + ½ − ½) and Kᵀ y + b = (1 + 0 + ¼, 2 + ½ − ½), by hand."""
        return Example(
            cls(state_shape=(2, 2)),
            x=[[[1.0, 0.5], [0.5, 0.25]]],
            u={"K": [[1.0, 2.0], [-1.0, 2.0]], "b": [0.75, -0.5]},
            value=[
                [
                    [math.tanh(1.75), math.tanh(-0.5)],
                    [-math.tanh(1.25), -math.tanh(2.5)],
                ]
            ],
        )


def turned(u: Controls) -> Controls:
    """The controls of the layer of Kᵀ; its own inverse and its own adjoint."""
    return u | {"K": u["K"].T}


@dataclass(frozen=True)
class Back(Linearization):
    """The derivative of −σ(Kᵀ y + b), with controls named apart from those of the other half."""

    dense: Linearization

    def jvp(self, dx: Array, du: Controls) -> Array:
        """Minus that of the layer."""
        return -self.dense.jvp(dx, self._of_the_layer(du))

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """That of the layer for −p."""
        return self._named(self.dense.vjp(-py))

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """Likewise."""
        assert self.dense.curvature is not None  # noqa: S101 - a dense layer has it
        return self._named(self.dense.curvature(-py, dx, self._of_the_layer(du)))

    @staticmethod
    def _of_the_layer(du: Controls) -> Controls:
        return turned({name: du[name] for name in BACK if name in du})

    @staticmethod
    def _named(products: tuple[Array, Controls]) -> tuple[Array, Controls]:
        px, pu = products
        return px, {BACK[name]: value for name, value in turned(pu).items()}


@dataclass(frozen=True)
class SharedLinearization(Linearization):
    """Both halves with the same controls: adjoints add up."""

    halves: SeparableLinearization

    def jvp(self, dx: Array, du: Controls) -> Array:
        """Along the same du in both."""
        return self.halves.jvp(dx, du)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """Those of both, with pu added up."""
        return _added(self.halves.vjp(py))

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """Likewise."""
        return _added(self.halves.curvature(py, dx, du))


def _added(products: tuple[Array, Controls]) -> tuple[Array, Controls]:
    px, pu = products
    return px, {name: pu[name] + pu[back] for name, back in BACK.items() if name in pu}
