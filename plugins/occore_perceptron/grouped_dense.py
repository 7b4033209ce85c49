"""Grouped dense layer: groups of features, each with a dense layer of its own.

    f(x, u) = (σ(K₁ x₁ + b₁), σ(K₂ x₂ + b₂), …),    x = (x₁, x₂, …)

symbol   code                       shape
x        x                          (samples, Σ n_g), n_g in `groups`
K_g      u["K1"], u["K2"], …        (m_g, n_g), m_g in `widths`
b_g      u["b1"], u["b2"], …        (m_g,), where `bias` is true

It is a dense layer whose matrix is block diagonal: in the network of the family trees of Rumelhart,
Hinton and Williams, Nature 323 (1986), 533–536, persons and relations have separate codes so.
Everything is done by the dense layers of the groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from occore import (
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
    array_namespace,
)
from occore_single_layer.dense import Dense

Sizes = tuple[Annotated[int, Field(gt=0)], ...]


@dataclass(frozen=True)
class GroupedDense(Dynamics):
    """A dense layer for each group of features; their outputs one after the other."""

    state_shape: tuple[int, ...]
    groups: Annotated[Sizes, Field(min_length=1, description="features of each group")]
    widths: Annotated[Sizes, Field(min_length=1, description="outputs of each group")]
    activation: Annotated[ActivationName, Field(description="σ, entry by entry")] = "tanh"
    bias: Annotated[bool, Field(description="whether there are b")] = True
    initialisation: Annotated[
        Initialisation, Field(description="how each K is drawn at the start")
    ] = "glorot"
    scale: Annotated[
        float, Field(gt=0, allow_inf_nan=False, description="factor of what is drawn")
    ] = 1.0
    random_bias: Annotated[
        bool, Field(description="b are drawn at the start as K are; otherwise they are zero then")
    ] = False

    autonomous = True

    def __post_init__(self) -> None:
        if len(self.groups) != len(self.widths):
            raise InputError(
                f"{len(self.groups)} groups have {len(self.widths)} widths; give each group one"
            )
        if self.state_shape != (sum(self.groups),):
            raise InputError(
                f"the groups have {' + '.join(map(str, self.groups))} = {sum(self.groups)} "
                f"features, but the state has the shape {self.state_shape}"
            )

    @property
    def kinks(self) -> bool:
        """Where σ has kinks."""
        return not activation(self.activation).smooth

    @cached_property
    def layers(self) -> tuple[Dense, ...]:
        """The layer of each group."""
        options = (
            self.activation,
            self.bias,
            self.initialisation,
            self.scale,
            self.random_bias,
        )
        pairs = zip(self.groups, self.widths, strict=True)
        return tuple(Dense((n,), width, *options) for n, width in pairs)

    @cached_property
    def controls(self) -> Layout:
        """K1, b1, K2, b2 and so on."""
        shapes = (layer.controls.shapes for layer in self.layers)
        return Layout(_numbered(shapes))

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(Σ widths,)."""
        return (sum(self.widths),)

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """Those of the layers."""
        return _numbered(layer.initial_controls(rng) for layer in self.layers)

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """The outputs of the groups, one after the other."""
        parts = zip(self.layers, _cut(x, self.groups), self._each(u), strict=True)
        return _joined([layer(t, part, controls) for layer, part, controls in parts])

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative, of the layers."""
        parts = zip(self.layers, _cut(x, self.groups), self._each(u), strict=True)
        found = [layer.linearize(t, part, controls) for layer, part, controls in parts]
        linearization = GroupedLinearization(self, [part for _, part in found])
        return _joined([y for y, _ in found]), linearization

    def _each(self, u: Controls) -> list[Controls]:
        return _unnumbered(u, self.layers)

    @classmethod
    def example(cls) -> Example:
        """One feature doubled, two added up; σ(±0.5) of the logistic function, by hand."""
        half = 1 / (1 + np.exp(-0.5))
        return Example(
            cls((3,), (1, 2), (1, 1), "logistic"),
            x=[[0.25, 1.0, -1.5]],
            u={"K1": [[2.0]], "b1": [0.0], "K2": [[1.0, 1.0]], "b2": [0.0]},
            value=[[half, 1 - half]],
        )


@dataclass(frozen=True)
class GroupedLinearization(JointSecond):
    """The derivatives of the groups, side by side."""

    layer: GroupedDense
    parts: Sequence[Linearization]

    def jvp(self, dx: Array, du: Controls) -> Array:
        """Those of the groups."""
        each = zip(self.parts, _cut(dx, self.layer.groups), self._each(du), strict=True)
        return _joined([part.jvp(d, controls) for part, d, controls in each])

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """Those of the groups."""
        each = zip(self.parts, _cut(py, self.layer.widths), strict=True)
        found = [part.vjp(p) for part, p in each]
        return _joined([px for px, _ in found]), _numbered(pu for _, pu in found)

    def second(
        self, py: Array, dp: Array, dx: Array, du: Controls
    ) -> tuple[Array, Array, Controls]:
        """Those of the groups."""
        behind, before = self.layer.widths, self.layer.groups
        pieces = zip(
            self.parts, _cut(py, behind), _cut(dp, behind), _cut(dx, before), self._each(du),
            strict=True,
        )  # fmt: skip
        found = [part.second(*piece) for part, *piece in pieces]  # pyright: ignore
        px, dpx = (_joined([each[k] for each in found]) for k in range(2))
        return px, dpx, _numbered(each[2] for each in found)

    def _each(self, u: Controls) -> list[Controls]:
        return _unnumbered(u, self.layer.layers)


def _cut(x: Array, sizes: Sequence[int]) -> list[Array]:
    """The columns of each group."""
    return [x[:, a:b] for a, b in pairwise(accumulate(sizes, initial=0))]


def _joined(parts: list[Array]) -> Array:
    return array_namespace(parts[0]).concat(parts, axis=1)


def _numbered(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """{"K": …} of each group as {"K1": …, "K2": …}."""
    numbered = enumerate(parts, start=1)
    return {f"{name}{k}": value for k, part in numbered for name, value in part.items()}


def _unnumbered(u: Controls, layers: Sequence[Dense]) -> list[Controls]:
    """The inverse of `_numbered`."""
    numbered = enumerate(layers, start=1)
    return [{name: u[f"{name}{k}"] for name in layer.controls} for k, layer in numbered]
