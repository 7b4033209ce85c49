"""The links of a problem as one map, in one piece: x → the end of the last link.

Its sweeps are those of `occore.composition`; `occore.shards` cuts the samples before them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from occore import composition
from occore.arrays import Array, Controls, is_sparse
from occore.interface import Interface
from occore.linearization import Linearization
from occore.phase import Phase


class Sweeps(Interface):
    """The derivative of a chain at one point, along the controls; the start states are held.

    Controls, tangents du and adjoints pu are lists with an entry for each link.
    """

    second_order: bool
    """Whether every link has second derivatives."""

    sums: str | None
    """A link with controls that has its adjoint only as a sum over the samples, if there is one."""

    @abstractmethod
    def tangent(self, du: Sequence[Controls]) -> tuple[Array, Any]:
        """Tangent of the end, and what `second` needs to know of the tangents on the way."""

    @abstractmethod
    def adjoint(self, p: Array) -> list[Controls]:
        """pu of an adjoint of the end."""

    @abstractmethod
    def of_each(self, p: Array) -> list[Controls]:
        """The same of each sample alone, (samples, *shape), before they are summed."""

    @abstractmethod
    def second(self, p: Array, dp: Array, tangents: Any, du: Sequence[Controls]) -> list[Controls]:
        """d/dε of `adjoint(p)` along du, where p itself changes by dp."""


class Chain(Interface):
    """A map of start states (samples, …) and a list of controls to the end of the last link."""

    @abstractmethod
    def __call__(self, x: Array, u: Sequence[Controls]) -> Array:
        """The end."""

    @abstractmethod
    def linearize(self, x: Array, u: Sequence[Controls]) -> tuple[Array, Sweeps]:
        """The end, and the derivative along the controls."""


@dataclass(frozen=True)
class OnePiece(Chain):
    """All samples at once."""

    links: tuple[Phase, ...]

    def __call__(self, x: Array, u: Sequence[Controls]) -> Array:
        """One link after the other."""
        for link, controls in zip(self.links, u, strict=True):
            x = link(x, controls)
        return x

    def linearize(self, x: Array, u: Sequence[Controls]) -> tuple[Array, OnePieceSweeps]:
        """One link after the other; the linearization of each is kept."""
        start, parts = x, []
        for link, controls in zip(self.links, u, strict=True):
            x, part = link.linearize(x, controls)
            parts.append(part)
        return x, OnePieceSweeps(start, parts, self.links)


@dataclass(frozen=True)
class OnePieceSweeps(Sweeps):
    """The sweeps over the linearizations of the links."""

    start: Array
    parts: Sequence[Linearization]
    links: tuple[Phase, ...]

    @property
    def second_order(self) -> bool:
        """Whether every link has a curvature."""
        return all(part.curvature is not None for part in self.parts)

    @property
    def sums(self) -> str | None:
        """The first link without `control_of_each`."""
        pairs = zip(self.links, self.parts, strict=True)
        summed = (link for link, part in pairs if link.layout.size and not part.control_of_each)
        return next((link.name for link in summed), None)

    def tangent(self, du: Sequence[Controls]) -> tuple[Array, list[Array]]:
        """The last tangent, and those behind each link."""
        tangents = composition.control_tangents(self.parts, self._zero, du)
        return tangents[-1], tangents

    def adjoint(self, p: Array) -> list[Controls]:
        """Backpropagation."""
        return composition.control_vjp(self.parts, p)

    def of_each(self, p: Array) -> list[Controls]:
        """Backpropagation without the sums."""
        return composition.control_of_each(self.parts, p)

    def second(
        self, p: Array, dp: Array, tangents: list[Array], du: Sequence[Controls]
    ) -> list[Controls]:
        """The second-order adjoint."""
        return composition.control_second(self.parts, p, dp, self._zero, tangents, du)

    @cached_property
    def _zero(self) -> Array:
        start = self.start
        return 0 * start if is_sparse(start) else np.zeros(start.shape, start.dtype)
