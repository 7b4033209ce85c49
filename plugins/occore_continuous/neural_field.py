"""Neural field: dx/dt is a network of dense layers in x, which may see the time.

    v₀ = x^m,    z_l = g_l ∘ q_l + s_l,  q_l = K_l v_{l−1} + b_l,    v_l = σ(z_l),    f = z_L

time             g_l                s_l     source
"none"           1                  0       the demo of Chen et al. (2018) with m = 3 and 2–50–2
"concat"         1                  k_l t   [x, t] in place of x: FFJORD, `concat` layers
"concat_squash"  S(a_l t + c_l)     d_l t   FFJORD, `concatsquash` layers; S the logistic function

symbol         code                       shape                      meaning
x, v, z, q     x, v, z, q                 (samples, width of layer)  state, values, arguments
K, b           u["K1"], u["b1"], …        (width, inputs), (width,)  weights and biases by layer
k, a, c, d     u["k1"], u["a1"], …        (width,)                   how the layer sees t
m              power                                                 entry by entry
p              py, px, pu, pt             like f, x, u, t            adjoint; d marks a tangent

Layer by layer, with e = a t + c, g = S(e), dS = S' de, and dt the tangent of the time:

    dz = g ∘ dq + dg ∘ q + ds,    dq = K dv + dK v + db,    de = da t + dc + a dt,  ds = dd t + d dt
    pq = g ∘ pz,  (pv, pK, pb) = (Kᵀ pq, pq vᵀ, Σ pq),  pe = S' Σ pz ∘ q,  (pa, pc) = (t pe, pe),
    pd = t Σ pz,  pt = ⟨a, pe⟩ + ⟨d, Σ pz⟩;    below it pz = σ' ∘ pv

Sums are over the samples. Second derivatives differentiate each of these once more. The last layer
has the activation `output`. R. T. Q. Chen et al., Neural ordinary differential equations (2018);
W. Grathwohl et al., FFJORD (2019), appendix B.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from occore import (
    TIME,
    Activation,
    ActivationName,
    Array,
    Controls,
    Dynamics,
    Example,
    Initialisation,
    InputError,
    JointSecond,
    Layout,
    Linearization,
    activation,
    initial_weights,
)
from occore_continuous.neural_layers import Layer, Tangent

Width = Annotated[int, Field(gt=0)]


@dataclass(frozen=True)
class NeuralField(Dynamics):
    """A network with hidden layers as a field; the last layer has as many outputs as the state."""

    state_shape: tuple[int, ...]
    hidden: Annotated[
        tuple[Width, ...], Field(description="widths of the hidden layers; none for one layer")
    ] = (32,)
    activation: Annotated[ActivationName, Field(description="σ of the hidden layers")] = "tanh"
    output: Annotated[ActivationName, Field(description="activation of the last layer")] = (
        "identity"
    )
    time: Annotated[
        Literal["none", "concat", "concat_squash"],
        Field(description="whether layers see t: added to their inputs, or as gate and shift"),
    ] = "none"
    power: Annotated[int, Field(ge=1, le=9, description="of the entries of x that come in")] = 1
    initialisation: Annotated[
        Initialisation, Field(description="how K is drawn at the start; all else is zero then")
    ] = "glorot"

    def __post_init__(self) -> None:
        if len(self.state_shape) != 1:
            raise InputError(
                f"a neural field takes vectors; its state has the shape {self.state_shape}: put a "
                'phase of kind "flatten" before it'
            )

    @property
    def widths(self) -> tuple[int, ...]:
        """Of the state, the hidden layers and the value."""
        return (*self.state_shape, *self.hidden, *self.state_shape)

    @property
    def autonomous(self) -> bool:
        """Where no layer sees t."""
        return self.time == "none"

    @property
    def kinks(self) -> bool:
        """Where an activation has kinks."""
        return not (activation(self.activation).smooth and activation(self.output).smooth)

    @cached_property
    def controls(self) -> Layout:  # pyright: ignore[reportIncompatibleVariableOverride]
        """K and b of each layer, and what `time` adds to them."""
        shapes: dict[str, tuple[int, ...]] = {}
        for place, (inputs, width) in enumerate(pairwise(self.widths), 1):
            shapes |= {
                f"{letter}{place}": (width, inputs) if letter == "K" else (width,)
                for letter in self._letters
            }
        return Layout(shapes)

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """K of each layer as `initialisation` says."""
        u = self.controls.zeros()
        for name in (name for name in u if name.startswith("K")):
            width, inputs = u[name].shape
            u[name] = initial_weights(self.initialisation, (width, inputs), inputs, width, rng)
        return u

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """f of each sample."""
        v = self._powers(x)
        for place, sigma in enumerate(self._activations, 1):
            v = sigma(Layer.at(t, v, self._of_layer(place, u)).z)
        return v

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """f and its derivative at fixed t."""
        return self._linearize(t, x, u, timed=False)

    @property
    def linearize_in_time(
        self,
    ) -> Callable[[float, Array, Controls], tuple[Array, Linearization]] | None:
        """The same with t among the controls, where a layer sees it."""
        return None if self.autonomous else partial(self._linearize, timed=True)

    def _linearize(
        self, t: float, x: Array, u: Controls, *, timed: bool
    ) -> tuple[Array, Linearization]:
        v, layers = self._powers(x), []
        for place, sigma in enumerate(self._activations, 1):
            layer = Layer.at(t, v, self._of_layer(place, u))
            v = sigma(layer.z)
            layers.append(Activated(layer, sigma, v, sigma.slope(layer.z, v)))
        return v, NeuralLinearization(self, x, tuple(layers), timed)

    def _powers(self, x: Array) -> Array:
        """x^m, without a pass over x where m is one."""
        return x if self.power == 1 else x**self.power

    @property
    def _activations(self) -> list[Activation]:
        return [activation(self.activation)] * len(self.hidden) + [activation(self.output)]

    def _of_layer(self, place: int, u: Controls) -> Controls:
        """The controls of a layer by their letters."""
        return {letter: u[f"{letter}{place}"] for letter in self._letters}

    @property
    def _letters(self) -> str:
        return {"none": "Kb", "concat": "Kbk", "concat_squash": "Kbacd"}[self.time]

    @classmethod
    def example(cls) -> Example:
        """f = 2 tanh(1 + 1/2 − 1/4 + 1/2 · 3/10) − 1 of x = 1/2, t = 1/2, by hand."""
        u = {
            "K1": [[2.0]],
            "b1": [0.25],
            "k1": [0.3],
            "K2": [[2.0]],
            "b2": [-1.0],
            "k2": [0.5],
        }
        value = [[2 * np.tanh(2 * 0.5 + 0.25 + 0.3 * 0.5) - 1 + 0.5 * 0.5]]
        return Example(cls((1,), (1,), time="concat"), t=0.5, x=[[0.5]], u=u, value=value)


@dataclass(frozen=True)
class Activated:
    """A layer, its activation, and value and slope of that."""

    layer: Layer
    sigma: Activation
    v: Array
    slope: Array


@dataclass(frozen=True)
class NeuralLinearization(JointSecond):
    """The products of the head of the module, from layer to layer; `timed`: with those in t."""

    field: NeuralField
    x: Array
    layers: tuple[Activated, ...]
    timed: bool

    def jvp(self, dx: Array, du: Controls) -> Array:
        """df."""
        return self._tangents(dx, du)[1]

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """px and pu."""
        pv, pu, pt = py, {}, 0.0
        for place in range(len(self.layers), 0, -1):
            each = self.layers[place - 1]
            pv, named, more = each.layer.adjoint(each.slope * pv)
            pt = pt + more
            pu |= {f"{letter}{place}": value for letter, value in named.items()}
        return self._of_powers(pv), self._with_time(pu, pt, py)

    def second(
        self, py: Array, dp: Array, dx: Array, du: Controls
    ) -> tuple[Array, Array, Controls]:
        """px, and the derivatives of px and pu."""
        tangents, _ = self._tangents(dx, du)
        pv, dpv, dpu, dpt = py, dp, {}, 0.0
        for place in range(len(self.layers), 0, -1):
            each, tangent = self.layers[place - 1], tangents[place - 1]
            z, named = each.layer.z, self.field._of_layer(place, du)
            pz = each.slope * pv
            dpz = each.slope * dpv + each.sigma.bend(z, each.v) * tangent.dz * pv
            pv, _, _ = each.layer.adjoint(pz)
            dpv, parts, more = each.layer.second(pz, dpz, named, tangent)
            dpt = dpt + more
            dpu |= {f"{letter}{place}": value for letter, value in parts.items()}
        m = self.field.power
        bend = m * (m - 1) * self.x ** max(m - 2, 0)
        px, dpx = self._of_powers(pv), self._of_powers(dpv) + bend * dx * pv
        return px, dpx, self._with_time(dpu, dpt, py)

    def _tangents(self, dx: Array, du: Controls) -> tuple[list[Tangent], Array]:
        """Those of each layer, and df."""
        dv, dt, tangents = self._of_powers(dx), du[TIME] if self.timed else 0.0, []
        for place, each in enumerate(self.layers, 1):
            tangents.append(each.layer.tangent(dv, self.field._of_layer(place, du), dt))
            dv = each.slope * tangents[-1].dz
        return tangents, dv

    def _of_powers(self, d: Array) -> Array:
        """d times the slope of x^m."""
        m = self.field.power
        return d if m == 1 else m * self.x ** (m - 1) * d

    def _with_time(self, pu: Controls, pt: Array | float, py: Array) -> Controls:
        """Also the adjoint of t, where it is asked for."""
        return {**pu, TIME: np.asarray(pt, py.dtype)} if self.timed else pu
