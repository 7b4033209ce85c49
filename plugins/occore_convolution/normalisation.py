"""Normalisation of pictures: entries divided by the root of a mean or sum of their squares.

    y = γ z + β,    z = s c,    c = x − S(w x),    s = (S(w c²) + ε)^(−1/2)

S sums over a group of entries. With w = 1/n, n the size of a group, S(w ·) is the mean over it;
with `centred = False` nothing is subtracted from x, and w = 1. What a group is makes the kind:

kind      a group of entries                           centred
batch     all samples and cells of one channel         yes
instance  all cells of one channel of one sample       yes
TV        all channels at one cell of one sample       no

symbol   code                     shape                        meaning
x, z     x, z                     (samples, *grid, channels)   picture, and normalised
s        s                        with lengths 1 where summed  inverse deviation
w        w                        a number, or (samples, 1, …) weights of the entries
γ, β     u["scale"], u["shift"]   (channels,), (channels,)     controls, where trainable
p        py, pz, px, pu           like y, z, x, u              adjoint; a leading d: a tangent

Derivatives: with e = s (dx − S(w dx)) and a = S(w z e),  dz = e − a z,  ds = −a s. With pz = γ py,
g = S(z pz), m = S(pz) (0 where not centred),  px = s r,  r = pz − w (g z + m),  pγ = Σ z py,
pβ = Σ py. Of these along (dx, du), where py changes by dp:  dpz = γ dp + dγ py,
dg = S(z dpz + dz pz),  dm = S(dpz),  dpx = ds r + s (dpz − w (dg z + g dz + dm)),
dpγ = Σ z dp + dz py,  dpβ = Σ dp.
In px, S(w z) = 0 has been used, which holds since c is centred.

Source: Ioffe and Szegedy, Batch normalization (2015), algorithm 1.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from occore import Array, Controls, Dynamics, JointSecond, Layout, Linearization, array_namespace
from occore_convolution.sums import over_cells, over_channels, over_samples_and_cells


@dataclass(frozen=True)
class Groups:
    """The groups of entries, and how they are normalised.

    kind: that of the head of the module. leading: how many samples, the first ones, the means over
    a batch are taken of; all by default.
    """

    kind: Literal["batch", "instance", "TV"]
    epsilon: float
    leading: int | None = None

    @property
    def centred(self) -> bool:
        """Whether the mean is subtracted, and squares are averaged, not summed."""
        return self.kind != "TV"

    def sum(self, a: Array) -> Array:
        """S(a), with an axis of length 1 where it has summed."""
        if self.kind == "TV":
            return over_channels(a)
        total = over_cells(a)
        if self.kind == "instance":
            return total
        return array_namespace(a).sum(total, axis=0, keepdims=True)

    def mean(self, a: Array) -> Array:
        """S(w a)."""
        return self._weight(a) * self.sum(a[: self._counted(a), ...])

    def weights(self, x: Array) -> Array | float:
        """w: a number, or one for each sample, zero behind the leading ones."""
        w, samples, counted = self._weight(x), x.shape[0], self._counted(x)
        if counted == samples:
            return w
        xp, shape = array_namespace(x), (1,) * (x.ndim - 1)
        leading = xp.full((counted, *shape), w, dtype=x.dtype)
        others = xp.zeros((samples - counted, *shape), dtype=x.dtype)
        return xp.concat([leading, others], axis=0)

    def normalise(self, x: Array) -> tuple[Array, Array]:
        """z and s."""
        c = x - self.mean(x) if self.centred else x
        s = 1 / array_namespace(x).sqrt(self.mean(c * c) + self.epsilon)
        return s * c, s

    def _counted(self, x: Array) -> int:
        samples = x.shape[0]
        return samples if self.leading is None else min(self.leading, samples)

    def _weight(self, x: Array) -> float:
        if not self.centred:
            return 1.0
        cells = math.prod(x.shape[1:-1])
        return 1 / (cells * self._counted(x) if self.kind == "batch" else cells)


class Normalisation(Dynamics):
    """γ z + β; a subclass has these fields, says what a group is, and which states it takes."""

    state_shape: tuple[int, ...]
    trainable: bool
    epsilon: float

    autonomous = True
    affine_in_controls = True

    @property
    @abstractmethod
    def groups(self) -> Groups:
        """What is normalised together."""

    @property
    def controls(self) -> Layout:
        """scale and shift (channels,), where they are trainable."""
        channels = self.state_shape[-1:]
        return Layout({"scale": channels, "shift": channels} if self.trainable else {})

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """γ = 1, β = 0."""
        return {name: value + (name == "scale") for name, value in self.controls.zeros().items()}

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """The normalised pictures."""
        return affine(self.groups.normalise(x)[0], u)

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative."""
        groups = self.groups
        z, s = groups.normalise(x)
        part = NormalisedLinearization(groups, z, s, groups.weights(x), u.get("scale"))
        return affine(z, u), part


def affine(z: Array, u: Controls) -> Array:
    """γ z + β, or z where there are no controls."""
    return u["scale"] * z + u["shift"] if u else z


@dataclass(frozen=True)
class NormalisedLinearization(JointSecond):
    """The derivative of γ z(x) + β; see the head of the module."""

    groups: Groups
    z: Array
    s: Array
    w: Array | float
    gamma: Any
    """`None` where there are no controls."""

    def jvp(self, dx: Array, du: Controls) -> Array:
        """γ dz + dγ z + dβ."""
        dz = self._dz(dx)[0]
        return dz if self.gamma is None else self.gamma * dz + affine(self.z, du)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """px = s r; pγ = Σ z py, pβ = Σ py."""
        pz = self._scaled(py)
        return self._px(pz, self._g(pz)), self._controls(self.z * py, py)

    def second(
        self, py: Array, dp: Array, dx: Array, du: Controls
    ) -> tuple[Array, Array, Controls]:
        """px and its derivative, and that of pu, where py itself changes by dp."""
        pz, dpz = self._scaled(py), self._scaled(dp)
        if self.gamma is not None:
            dpz = dpz + du["scale"] * py
        dz, a = self._dz(dx)
        g = self._g(pz)
        px = self._px(pz, g)
        dg = self._g(dpz) + self.groups.sum(dz * pz)
        dpx = self._px(dpz, dg) - (self.s * self.w * g) * dz - a * px
        return px, dpx, self._controls(self.z * dp + dz * py, dp)

    def _dz(self, dx: Array) -> tuple[Array, Array]:
        """dz and a = −ds/s."""
        e = self.s * (dx - self.groups.mean(dx) if self.groups.centred else dx)
        a = self.groups.mean(self.z * e)
        return e - a * self.z, a

    def _scaled(self, p: Array) -> Array:
        return p if self.gamma is None else self.gamma * p

    def _g(self, pz: Array) -> Array:
        return self.groups.sum(self.z * pz)

    def _px(self, pz: Array, g: Array) -> Array:
        """s (pz − w (g z + m)); what is multiplied first is small."""
        r = pz - (self.w * g) * self.z
        if self.groups.centred:
            r -= self.w * self.groups.sum(pz)
        r *= self.s
        return r

    def _controls(self, scale: Array, shift: Array) -> Controls:
        if self.gamma is None:
            return {}
        return {"scale": over_samples_and_cells(scale), "shift": over_samples_and_cells(shift)}
