"""Linked dense layer: groups of features that share one dense layer, with tied weights.

    f(x, u) = (σ(K x₁ + b), σ(K x₂ + b), …),    x = (x₁, x₂, …)

symbol   code            shape
x        x               (samples, G n), G groups of n features
K, b     u["K"], u["b"]  (width, n), (width,)
y        f(x, u)         (samples, G width)

Weights are linked where the groups are of one kind, such as two persons in the two places of a
sentence, so that what is learnt of a feature in one group holds in all. A sample is G samples of a
dense layer, which does everything; the adjoint adds up over the groups as it does over samples.
"""

from __future__ import annotations

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
    InputError,
    JointSecond,
    Layout,
    Linearization,
    array_namespace,
)
from occore_single_layer.dense import Dense


@dataclass(frozen=True)
class LinkedDense(Dynamics):
    """One dense layer on each of the groups."""

    state_shape: tuple[int, ...]
    groups: Annotated[int, Field(gt=0, description="how many groups of features share the layer")]
    width: Annotated[int, Field(gt=0, description="number of outputs of each group")]
    activation: Annotated[ActivationName, Field(description="σ, entry by entry")] = "tanh"
    bias: Annotated[bool, Field(description="whether there is a b")] = True
    initialisation: Annotated[Initialisation, Field(description="how K is drawn at the start")] = (
        "glorot"
    )
    scale: Annotated[
        float, Field(gt=0, allow_inf_nan=False, description="factor of what is drawn")
    ] = 1.0
    random_bias: Annotated[
        bool, Field(description="b is drawn at the start as K is; otherwise it is zero then")
    ] = False

    autonomous = True

    def __post_init__(self) -> None:
        if len(self.state_shape) != 1 or self.state_shape[0] % self.groups:
            raise InputError(
                f"the state has the shape {self.state_shape}, which is not {self.groups} groups of "
                "equally many features"
            )

    @property
    def kinks(self) -> bool:
        """Where σ has kinks."""
        return self.layer.kinks

    @cached_property
    def layer(self) -> Dense:
        """The layer of all groups."""
        return Dense(
            (self.state_shape[0] // self.groups,),
            self.width,
            self.activation,
            self.bias,
            self.initialisation,
            self.scale,
            self.random_bias,
        )

    @property
    def controls(self) -> Layout:
        """K (width, n) and b (width,)."""
        return self.layer.controls

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(groups · width,)."""
        return (self.groups * self.width,)

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """Those of the layer."""
        return self.layer.initial_controls(rng)

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """The outputs of the groups, one after the other."""
        return joined(self.layer(t, split(x, self.groups), u), self.groups)

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative, those of the layer."""
        y, part = self.layer.linearize(t, split(x, self.groups), u)
        return joined(y, self.groups), LinkedLinearization(self.groups, part)

    @classmethod
    def example(cls) -> Example:
        """tanh(½ x₁ + x₂) of two groups of two: ½ + 0 and 1 − ½, by hand."""
        half = np.tanh(0.5)
        return Example(
            cls((4,), 2, 1, bias=False),
            x=[[1.0, 0.0, -1.0, 1.0]],
            u={"K": [[0.5, 1.0]]},
            value=[[half, half]],
        )


@dataclass(frozen=True)
class LinkedLinearization(JointSecond):
    """That of the layer on G times as many samples."""

    groups: int
    part: Linearization

    def jvp(self, dx: Array, du: Controls) -> Array:
        """That of the layer."""
        return joined(self.part.jvp(split(dx, self.groups), du), self.groups)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """That of the layer, which adds up over samples and so over groups."""
        px, pu = self.part.vjp(split(py, self.groups))
        return joined(px, self.groups), pu

    def second(
        self, py: Array, dp: Array, dx: Array, du: Controls
    ) -> tuple[Array, Array, Controls]:
        """Those of the layer."""
        assert self.part.second is not None  # noqa: S101 - of a dense layer
        p, dp, dx = (split(each, self.groups) for each in (py, dp, dx))
        px, dpx, dpu = self.part.second(p, dp, dx, du)
        return joined(px, self.groups), joined(dpx, self.groups), dpu


def split(x: Array, groups: int) -> Array:
    """(samples, G n) → (samples · G, n)."""
    return array_namespace(x).reshape(x, (x.shape[0] * groups, x.shape[1] // groups))


def joined(y: Array, groups: int) -> Array:
    """(samples · G, n) → (samples, G n)."""
    return array_namespace(y).reshape(y, (y.shape[0] // groups, y.shape[1] * groups))
