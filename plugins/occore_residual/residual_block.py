"""Residual blocks: a shortcut and a branch of layers, added up.

    y = λ (1 − g) ∘ s + h c ∘ F,    s = S x,    F = the branch of x

order   branch F                                            behind the sum
post    K₁, N, σ, K₂, N, σ, …, K_n, N                       y ← σ(y)
pre     N, σ, K₁, N, σ, K₂, …, N, σ, K_n                    nothing

shortcut     S x
none         0: a plain network
identity     x, where the block keeps the shape
padded       x at every `stride`-th cell, zeros for the channels that are added: option A
projection   W x with stencils of one tap, behind them N in post order: option B

gate         g                           c
none         0                           1
shortcut     logistic(W_g x + b_g)       1: shortcut-only gating
exclusive    logistic(W_g x + b_g)       g

symbol   code                    meaning
K_k, b_k u["K1"], u["b1"], …     controls of the branch; N has scale1, shift1, …
W        u["K_shortcut"]         control of a projection
W_g, b_g u["K_gate"], …          controls of a gate
λ, h     scale, branch_scale     factors of shortcut and branch
p, d                             adjoint, tangent

With e = 1 in exclusive gating and 0 else, dy = λ ((1−g) ds − dg s) + h (c dF + e dg F), so that
p_F = h c p,  p_s = λ (1−g) p,  p_g = (e h F − λ s) p, and of these, where p changes by dp,
dp_F = h (c dp + e dg p),  dp_s = λ ((1−g) dp − dg p),  dp_g = (e h F − λ s) dp + (e h dF − λ ds) p.

With `increment` the value is y − x: forward Euler steps of length one of this field are the blocks.

Sources: He, Zhang, Ren and Sun, Deep residual learning for image recognition, CVPR (2016); and
Identity mappings in deep residual networks, ECCV (2016), section 3 (scalings, gates) and 4 (order).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from occore import (
    ActivationName,
    Array,
    Controls,
    Dynamics,
    Initialisation,
    InputError,
    JointSecond,
    Layout,
    Linearization,
    activation,
)
from occore_convolution.batch_normalisation import BatchNormalisation
from occore_convolution.instance_normalisation import InstanceNormalisation
from occore_convolution.tv_normalisation import TVNormalisation
from occore_residual.parts import Part, Succession, SuccessionLinearization
from occore_residual.pointwise import PointwiseActivation
from occore_residual.shortcut import PaddedShortcut

Normaliser = Literal["none", "batch", "instance", "tv"]

NORMALISERS: dict[str, Any] = {
    "batch": BatchNormalisation,
    "instance": InstanceNormalisation,
    "tv": TVNormalisation,
}


@dataclass(frozen=True)
class ResidualBlock(Dynamics):
    """Shortcut and branch; a subclass says what its layers of weights are."""

    state_shape: tuple[int, ...]
    layers: Annotated[int, Field(gt=0, description="layers of weights in the branch")] = 2
    activation: Annotated[ActivationName, Field(description="σ, entry by entry")] = "relu"
    order: Annotated[
        Literal["pre", "post"], Field(description="σ before each layer of weights, or behind")
    ] = "pre"
    shortcut: Annotated[
        Literal["none", "identity", "padded", "projection"],
        Field(description="what the branch is added to; none: a plain network"),
    ] = "identity"
    scale: Annotated[float, Field(allow_inf_nan=False, description="λ, of the shortcut")] = 1.0
    branch_scale: Annotated[float, Field(allow_inf_nan=False, description="h, of the branch")] = 1.0
    gate: Annotated[
        Literal["none", "shortcut", "exclusive"],
        Field(description="1 − g multiplies the shortcut; exclusive: and g the branch"),
    ] = "none"
    gate_bias: Annotated[float, Field(allow_inf_nan=False, description="b_g at the start")] = 0.0
    normalisation: Annotated[Normaliser, Field(description="N")] = "none"
    epsilon: Annotated[float, Field(gt=0, description="added to variances of N")] = 1e-5
    bias: Annotated[bool, Field(description="whether layers of weights have a b")] = True
    initialisation: Annotated[
        Initialisation, Field(description="how weights are drawn at the start; b is zero then")
    ] = "he"
    increment: Annotated[
        bool, Field(description="less x, as a field for forward Euler steps of length one")
    ] = False
    leading: int | None = field(default=None, metadata={"option": False})
    """How many samples, the first ones, batch normalisation takes its means of; all by default."""

    autonomous = True

    @abstractmethod
    def weights(self, shape: tuple[int, ...], first: bool) -> Dynamics:
        """A layer of weights without activation; the first may change the shape."""

    @abstractmethod
    def pointwise_weights(self, activation: ActivationName, bias: bool) -> Dynamics:
        """W of the state, of each cell for itself, to the shape of the value."""

    @property
    @abstractmethod
    def padded(self) -> PaddedShortcut:
        """The shortcut of option A."""

    def __post_init__(self) -> None:
        before, behind = tuple(self.state_shape), tuple(self.output_shape)
        if self.shortcut == "identity" and behind != before:
            raise InputError(
                f"an identity shortcut keeps the shape {before}, and the branch gives {behind}: "
                'take shortcut = "padded" or "projection"'
            )
        if self.increment and behind != before:
            raise InputError(
                f"an increment is of states of one shape; the block takes {before} to {behind}"
            )
        if self.shortcut == "none" and self.gate != "none":
            raise InputError('there is no shortcut to gate: take gate = "none"')
        _ = self.controls  # raises where a shape does not fit

    @property
    def output_shape(self) -> tuple[int, ...]:
        """That of the first layer of weights."""
        return tuple(self.weights(self.state_shape, True).output_shape or self.state_shape)

    @property
    def kinks(self) -> bool:
        """Where σ has kinks."""
        return not activation(self.activation).smooth

    @property
    def couples_samples(self) -> bool:
        """Under batch normalisation."""
        return self.normalisation == "batch"

    @property
    def coupled_by_first(self) -> Callable[[int], Dynamics] | None:
        """With means over the first so many samples, under batch normalisation."""
        return (lambda n: replace(self, leading=n)) if self.couples_samples else None

    @cached_property
    def branch(self) -> Succession:
        """F."""
        parts: list[Part] = []
        shape = self.state_shape
        for k in range(1, self.layers + 1):
            weights = Part(self.weights(shape, k == 1), str(k))
            after = self.output_shape
            if self.order == "pre":
                parts += [*self._normalised(shape, str(k)), self._sigma, weights]
            else:
                parts += [weights, *self._normalised(after, str(k))]
                parts += [self._sigma] if k < self.layers else []
            shape = after
        return Succession(tuple(parts))

    @cached_property
    def through(self) -> Succession | None:
        """S; None where there is no shortcut."""
        if self.shortcut == "none":
            return None
        if self.shortcut == "projection":
            parts = [Part(self.pointwise_weights("identity", False), "_shortcut")]
            if self.order == "post":
                parts += self._normalised(self.output_shape, "_shortcut")
            return Succession(tuple(parts))
        return Succession((Part(self.padded),) if self.shortcut == "padded" else ())

    @cached_property
    def gating(self) -> Part | None:
        """g; None where there is none."""
        if self.gate == "none":
            return None
        return Part(self.pointwise_weights("logistic", True), "_gate")

    @property
    def _sigma(self) -> Part:
        return Part(PointwiseActivation(self.activation))

    def _normalised(self, shape: tuple[int, ...], ending: str) -> list[Part]:
        """N on states of this shape, where there is one."""
        if self.normalisation == "none":
            return []
        kind = NORMALISERS[self.normalisation]
        coupled = {"leading": self.leading} if self.normalisation == "batch" else {}
        return [Part(kind(shape, epsilon=self.epsilon, **coupled), ending)]

    @property
    def _parts(self) -> list[Part]:
        through = () if self.through is None else self.through.parts
        return [*self.branch.parts, *through, *([self.gating] if self.gating else [])]

    @property
    def controls(self) -> Layout:
        """Those of branch, shortcut and gate."""
        layout = Layout({})
        for part in self._parts:
            layout = layout + part.controls
        return layout

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """Those of the layers; b_g as `gate_bias` says."""
        u: Controls = {}
        for part in self._parts:
            u |= part.initial_controls(rng)
        if self.gating is not None:
            u["b_gate"] = u["b_gate"] + self.gate_bias
        return u

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """y of each sample, or y − x."""
        y = self.branch_scale * self.branch(t, x, u)
        g = None if self.gating is None else self.gating(t, x, u)
        if g is not None and self.gate == "exclusive":
            y = g * y
        if self.through is not None:
            s = self.scale * self.through(t, x, u)
            y = y + (s if g is None else (1 - g) * s)
        if self.order == "post":
            y = activation(self.activation)(y)
        return y - x if self.increment else y

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative."""
        y, part = self._linearize_sum(t, x, u)
        if self.order == "post":
            y, last = self._sigma.linearize(t, y, {})
            part = SuccessionLinearization((part, last))
        return (y - x, Increment(part)) if self.increment else (y, part)

    def _linearize_sum(self, t: float, x: Array, u: Controls) -> tuple[Array, BlockLinearization]:
        h, scale = self.branch_scale, self.scale
        F, branch = self.branch.linearize(t, x, u)
        s, through, g, gate = 0 * F, None, None, None
        if self.through is not None:
            s, through = self.through.linearize(t, x, u)
        if self.gating is not None:
            g, gate = self.gating.linearize(t, x, u)
        exclusive = self.gate == "exclusive"
        y = h * (g * F if exclusive else F)
        if through is not None:
            y = y + scale * (s if g is None else (1 - g) * s)
        # the factor of dg in dy
        slope = None if g is None else (h * F if exclusive else 0 * F) - scale * s
        weights = BlockWeights(h, scale, exclusive, g, slope)
        return y, BlockLinearization(weights, branch, through, gate)


@dataclass(frozen=True)
class BlockWeights:
    """What multiplies dF, ds and dg in dy; g and slope are None without a gate."""

    branch: float
    through: float
    exclusive: bool
    g: Any
    slope: Any

    def of_branch(self, a: Array) -> Array:
        """h c a."""
        return self.branch * (self.g * a if self.exclusive else a)

    def of_shortcut(self, a: Array) -> Array:
        """λ (1 − g) a."""
        return self.through * (a if self.g is None else (1 - self.g) * a)


@dataclass(frozen=True)
class BlockLinearization(JointSecond):
    """The derivative of λ (1 − g) ∘ s + h c ∘ F; see the head of the module."""

    weights: BlockWeights
    branch: JointSecond
    through: JointSecond | None
    gate: JointSecond | None

    def jvp(self, dx: Array, du: Controls) -> Array:
        """The sum of the tangents."""
        dy = self.weights.of_branch(self.branch.jvp(dx, du))
        if self.through is not None:
            dy = dy + self.weights.of_shortcut(self.through.jvp(dx, du))
        if self.gate is not None:
            dy = dy + self.weights.slope * self.gate.jvp(dx, du)
        return dy

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """The sum of the adjoints; controls of the parts are different ones."""
        px, pu = self.branch.vjp(self.weights.of_branch(py))
        if self.through is not None:
            qx, qu = self.through.vjp(self.weights.of_shortcut(py))
            px, pu = px + qx, pu | qu
        if self.gate is not None:
            qx, qu = self.gate.vjp(self.weights.slope * py)
            px, pu = px + qx, pu | qu
        return px, pu

    def second(
        self, py: Array, dp: Array, dx: Array, du: Controls
    ) -> tuple[Array, Array, Controls]:
        """px and its derivative, and that of pu, where py itself changes by dp."""
        w, gate = self.weights, self.gate
        dp_branch, dp_through = w.of_branch(dp), w.of_shortcut(dp)
        if gate is not None:
            bent = gate.jvp(dx, du) * py  # dg p
            dp_through = dp_through - w.through * bent
            if w.exclusive:
                dp_branch = dp_branch + w.branch * bent
        px, dpx, dpu = self.branch.second(w.of_branch(py), dp_branch, dx, du)
        if self.through is not None:
            qx, dqx, own = self.through.second(w.of_shortcut(py), dp_through, dx, du)
            px, dpx, dpu = px + qx, dpx + dqx, dpu | own
            if gate is not None:
                dslope = -w.through * self.through.jvp(dx, du)
                if w.exclusive:
                    dslope = dslope + w.branch * self.branch.jvp(dx, du)
                qx, dqx, own = gate.second(w.slope * py, w.slope * dp + dslope * py, dx, du)
                px, dpx, dpu = px + qx, dpx + dqx, dpu | own
        return px, dpx, dpu


@dataclass(frozen=True)
class Increment(JointSecond):
    """The derivative of y − x."""

    part: JointSecond

    def jvp(self, dx: Array, du: Controls) -> Array:
        """dy − dx."""
        return self.part.jvp(dx, du) - dx

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """px − py."""
        px, pu = self.part.vjp(py)
        return px - py, pu

    def second(
        self, py: Array, dp: Array, dx: Array, du: Controls
    ) -> tuple[Array, Array, Controls]:
        """px − py and dpx − dp."""
        px, dpx, dpu = self.part.second(py, dp, dx, du)
        return px - py, dpx - dp, dpu
