"""Convolution through a connection table: each output map sees some of the input maps only.

f(x, u) = σ(s),    s = conv(x − c; S(K)) + c Σ S(K) + b

symbol   code             shape                                 meaning
x        x                (samples, *grid, maps in)             input maps, channels last
K        u["K"]           (*stencil, connections)               one stencil for each table entry
S(K)     _stencils        (*stencil, maps in, maps)             K at the entries, zero elsewhere
b        u["b"]           (maps,) or (*output grid, maps)       a bias for each map or each unit
c        background       −                                     state of the cells outside the grid
s        s                (samples, *output grid, maps)         argument of the activation σ
p        py, px, pu       like y, x, u                          adjoint; a leading d marks a tangent

conv has zeros outside, so that x − c is zero there, and c Σ S(K) (over taps and input maps) puts
back what was taken off. S scatters, and its transpose Sᵀ gathers. Derivatives are those of
`occore_single_layer.activated`, with the transposes convᵀ in x and grad in the stencil of
`occore_convolution.operator`:  ds = conv(dx; S(K)) + conv(x − c; S(dK)) + c Σ S(dK) + db;
px = convᵀ(q; S(K)), pK = Sᵀ(grad(x − c, q) + c Σ q), pb = Σ q;  of these along (dx, du), where q
changes by dq:  dpx = convᵀ(dq; S(K)) + convᵀ(q; S(dK)), dpb = Σ dq,
dpK = Sᵀ(grad(x − c, dq) + c Σ dq + grad(dx, q)).

LeCun et al., Backpropagation applied to handwritten zip code recognition, Neural Computation 1
(1989), 541–551: stride 2, a bias for each unit, background −1; the same, Handwritten digit
recognition with a back-propagation network, NIPS 2 (1990), 396–404: the table of its layer H3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from occore import (
    ActivationName,
    Array,
    Controls,
    Example,
    Initialisation,
    InputError,
    JointSecond,
    Layout,
    array_namespace,
    initial_weights,
)
from occore_convolution.operator import ConvolutionOperator
from occore_convolution.sums import over_samples_and_cells
from occore_single_layer.activated import ActivatedLayer

Place = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class TableConvolution(ActivatedLayer):
    """σ of a convolution of some of the input maps, with a bias for each map or unit."""

    state_shape: tuple[int, ...]
    maps: Annotated[int, Field(gt=0, description="number of output maps")]
    table: Annotated[
        tuple[tuple[Place, ...], ...] | None,
        Field(
            description="for each output map, the numbers of the input maps that it sees, from 0; "
            "all of them where not given"
        ),
    ] = None
    stencil: Annotated[int, Field(gt=0, description="taps along each axis")] = 5
    stride: Annotated[int, Field(gt=0, description="cells from one output to the next")] = 1
    boundary: Annotated[
        Literal["none", "background"],
        Field(description="outputs where all taps are inside; or a constant background outside"),
    ] = "none"
    background: Annotated[
        float, Field(allow_inf_nan=False, description="c, state of the cells outside")
    ] = 0.0
    bias: Annotated[Literal["map", "unit", "none"], Field(description="what has a bias b")] = "map"
    activation: Annotated[ActivationName, Field(description="σ, entry by entry")] = "scaled_tanh"
    initialisation: Annotated[
        Initialisation, Field(description="how K is drawn at the start; b is zero then")
    ] = "standard"

    def __post_init__(self) -> None:
        if len(self.state_shape) < 2:
            raise InputError(
                f"a convolution takes (*grid, maps); its state has the shape {self.state_shape}: "
                'put a phase of kind "picture" before it'
            )
        maps_in = self.state_shape[-1]
        if self.table is not None:
            if len(self.table) != self.maps:
                raise InputError(
                    f"the table has {len(self.table)} rows for {self.maps} output maps; give one "
                    "for each"
                )
            for row, seen in enumerate(self.table):
                if not seen or len(set(seen)) < len(seen) or not set(seen) <= set(range(maps_in)):
                    raise InputError(
                        f"row {row} of the table is {list(seen)}; it names one or more of the "
                        f"input maps 0 to {maps_in - 1}, each once"
                    )
        _ = self.operator  # whose sizes are checked here

    @cached_property
    def operator(self) -> ConvolutionOperator:
        """The convolution without table, background, bias and activation."""
        *grid, maps_in = self.state_shape
        stencil = (self.stencil,) * len(grid)
        boundary = "none" if self.boundary == "none" else "zero"
        return ConvolutionOperator(tuple(grid), stencil, maps_in, self.maps, boundary, self.stride)

    @cached_property
    def connections(self) -> Array:
        """(connections, 2): input and output map of each, one row of the table after another."""
        rows = self.table or (range(self.state_shape[-1]),) * self.maps
        return np.array([(i, o) for o, seen in enumerate(rows) for i in seen])

    @cached_property
    def _numbers(self) -> Array:
        """(maps in, maps): the number of the connection, or of a zero after the last one."""
        i, o = self.connections.T
        numbers = np.full((self.state_shape[-1], self.maps), len(i))
        numbers[i, o] = np.arange(len(i))
        return numbers

    @property
    def controls(self) -> Layout:
        """K (*stencil, connections), and b as `bias` says."""
        taps = (self.stencil,) * (len(self.state_shape) - 1)
        shapes: dict[str, tuple[int, ...]] = {"K": (*taps, len(self.connections))}
        biases = {"map": (self.maps,), "unit": self.output_shape}
        return Layout(shapes if self.bias == "none" else shapes | {"b": biases[self.bias]})

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(*output grid, maps)."""
        return self.operator.output_shape

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """K as `initialisation` says, by the connections of the map that it belongs to; b zero."""
        u = self.controls.zeros()
        taps = self.stencil ** (len(self.state_shape) - 1)
        fan_out, fan_in = (taps * np.bincount(side) for side in self.connections.T)
        stencils = [
            initial_weights(self.initialisation, u["K"].shape[:-1], fan_in[o], fan_out[i], rng)
            for i, o in self.connections
        ]
        return u | {"K": np.stack(stencils, axis=-1)}

    def argument(self, x: Array, u: Controls) -> Array:
        """s of each sample."""
        return self.affine(x - self.background, self.scatter(u["K"]), u)

    def linearize_argument(
        self, x: Array, u: Controls
    ) -> tuple[Array, TableConvolutionLinearization]:
        """s and its derivative."""
        z, S = x - self.background, self.scatter(u["K"])
        return self.affine(z, S, u), TableConvolutionLinearization(self, z, S)

    def affine(self, z: Array, S: Array, u: Controls) -> Array:
        """s, of z = x − c and the stencils for all pairs of maps."""
        s = self.operator.forward(z, S)
        if self.background:
            taps = tuple(range(len(S.shape) - 1))
            s = s + self.background * array_namespace(S).sum(S, axis=taps)
        return s + u["b"] if self.bias != "none" else s

    def scatter(self, K: Array) -> Array:
        """S(K)."""
        xp = array_namespace(K)
        with_zero = xp.concat([K, 0 * K[..., :1]], axis=-1)
        S = xp.take(with_zero, xp.asarray(self._numbers.ravel()), axis=-1)
        return xp.reshape(S, (*K.shape[:-1], *self._numbers.shape))

    def gather(self, S: Array) -> Array:
        """Sᵀ: the entries of the table, of stencils for all pairs of maps."""
        xp, (i, o) = array_namespace(S), self.connections.T
        flat = xp.reshape(S, (*S.shape[:-2], -1))
        return xp.take(flat, xp.asarray(i * self.maps + o), axis=-1)

    @classmethod
    def example(cls) -> Example:
        """A signal of two cells in two maps, of which both output maps see the second.

        By hand, s = 0.25 + 0.25 + 0.5 and 0.125 + 0.5 + 0.25: taps that are all inside never meet
        the background.
        """
        return Example(
            cls(
                state_shape=(2, 2),
                maps=2,
                table=((1,), (1,)),
                stencil=2,
                background=-0.5,
                activation="tanh",
            ),
            x=[[[1.0, 0.5], [0.5, 1.0]]],
            u={"K": [[0.5, 0.25], [0.25, 0.5]], "b": [0.5, 0.25]},
            value=[[[math.tanh(1.0), math.tanh(0.875)]]],
        )


@dataclass(frozen=True)
class TableConvolutionLinearization(JointSecond):
    """The derivative of s; see the head of the module."""

    layer: TableConvolution
    z: Array
    S: Array

    def jvp(self, dx: Array, du: Controls) -> Array:
        """ds."""
        return self.layer.operator.forward(dx, self.S) + self.control_jvp(du)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """px = convᵀ(q; S(K)), and what q is for the controls."""
        return self.layer.operator.adjoint(py, self.S), self.control_vjp(py)

    def control_jvp(self, du: Controls) -> Array:
        """ds of dx = 0."""
        return self.layer.affine(self.z, self.layer.scatter(du["K"]), du)

    def control_vjp(self, py: Array) -> Controls:
        """Those of `vjp`."""
        layer, of_maps = self.layer, over_samples_and_cells(py)
        pS = layer.operator.stencil_gradient(self.z, py) + layer.background * of_maps
        pu = {"K": layer.gather(pS)}
        if layer.bias == "none":
            return pu
        return pu | {"b": of_maps if layer.bias == "map" else array_namespace(py).sum(py, axis=0)}

    def second(
        self, py: Array, dp: Array, dx: Array, du: Controls
    ) -> tuple[Array, Array, Controls]:
        """px and its derivative, and that of pu, where py itself changes by dp."""
        layer, operator = self.layer, self.layer.operator
        dpx = operator.adjoint(dp, self.S) + operator.adjoint(py, layer.scatter(du["K"]))
        dpu = self.control_vjp(dp)
        dpK = dpu["K"] + layer.gather(operator.stencil_gradient(dx, py))
        return operator.adjoint(py, self.S), dpx, dpu | {"K": dpK}

    def control_second(self, py: Array, dp: Array, du: Controls) -> Controls:
        """Affine in the controls: only dp counts."""
        return self.control_vjp(dp)
