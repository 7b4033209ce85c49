"""Shards: a chain evaluated on some samples at a time, each shard through the whole chain.

    end = [end of shard 1; end of shard 2; …],    pu = Σ_shards pu of the shard, in this order

Where the cuts are follows from the data and the states alone, so that no number depends on the
engine, its threads or their timing. A shard is small enough for its states to stay in a cache, and
a sweep that keeps no linearizations needs no more memory than a few shards. Linearizations are kept
up to a limit; what is beyond is computed again when a product asks for it.

A chain is left in one piece where a sample is not computed from its own data alone (batch
normalisation, adaptive steps, whose grid all samples share), where samples have events or are
observed, where the inputs are a sparse matrix, which has fast products of its own, and where one
layer is all there is: that is one product of matrices, which BLAS cuts itself.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from occore.arrays import Array, Controls, is_sparse
from occore.chain import Chain, OnePiece, Sweeps
from occore.checkpointing import nbytes
from occore.dynamics import StateShape
from occore.engines import Engine
from occore.phase import Phase

SHARD_BYTES = 2**20
"""Of the widest state of a shard, at most: half a cache of a core, with what is computed of it."""

WORTH_BYTES = 2**17
"""Of the widest state, from which a shard is worth its calls."""

FEW = 2
"""Shards that there are at least, where each is worth it."""

KEPT_BYTES = 2**30
"""Of linearizations that an evaluation keeps, at most."""

EVEN = 16
"""Up to so many shards their number is a power of two, which two and four threads share evenly."""


def can_be_cut(phases: Sequence[Phase], inputs: Array) -> bool:
    """Whether the samples of such a chain can be cut into shards, and it may pay."""
    if is_sparse(inputs) or (len(phases) == 1 and phases[0].static):
        return False
    return not any(_holds_together(phase) for phase in phases)


def _holds_together(phase: Phase) -> bool:
    if phase.static:
        return phase.dynamics.couples_samples
    return bool(
        phase.dynamics.couples_samples
        or phase.tolerances is not None
        or phase.events
        or phase.observations is not None
    )


def cuts(samples: int, shapes: Sequence[StateShape], itemsize: int) -> tuple[slice, ...]:
    """The shards of so many samples with states of these shapes on their way."""
    widest = itemsize * max(math.prod(shape) for shape in shapes)
    count = math.ceil(samples / max(1, SHARD_BYTES // widest))
    count = max(count, min(FEW, samples * widest // WORTH_BYTES))
    if 1 < count <= EVEN:
        count = min(samples, 2 ** math.ceil(math.log2(count)))
    ends = [samples * k // count for k in range(count + 1)] if count else [0, samples]
    return tuple(slice(a, b) for a, b in itertools.pairwise(ends))


@dataclass(frozen=True)
class InShards(Chain):
    """The links on the shards of the samples, by an engine."""

    links: tuple[Phase, ...]
    shards: tuple[slice, ...]
    engine: Engine

    def __call__(self, x: Array, u: Sequence[Controls]) -> Array:
        """The ends of the shards, one below the other; nothing else is kept."""
        ends = self.engine.map(lambda k: self.piece(k)(x[self.shards[k]], u), self.numbers)
        return np.concatenate(list(ends))

    def linearize(self, x: Array, u: Sequence[Controls]) -> tuple[Array, Sweeps]:
        """The ends, and linearizations up to the limit."""

        def linearized(k: int) -> tuple[Array, Sweeps]:
            return self.piece(k).linearize(x[self.shards[k]], u)

        ends, kept, size, second_order, sums = [], list[Sweeps | None](), 0, True, None
        for k, (end, sweeps) in enumerate(self.engine.map(linearized, self.numbers)):
            ends.append(end)
            size = size or nbytes(sweeps)  # the shards are alike
            kept.append(sweeps if (k + 1) * size <= KEPT_BYTES else None)
            second_order, sums = second_order and sweeps.second_order, sweeps.sums
        again = [partial(linearized, k) for k in self.numbers]
        return np.concatenate(ends), InShardsSweeps(self, kept, again, second_order, sums)

    @property
    def numbers(self) -> range:
        """Of the shards."""
        return range(len(self.shards))

    def piece(self, k: int) -> Chain:
        """The chain for one shard; all make the same steps, which count once."""
        if k == 0:
            return OnePiece(self.links)
        return OnePiece(tuple(_beside(link) for link in self.links))


def _beside(link: Phase) -> Phase:
    """The link for a further shard; a layer, which makes no steps, is the same."""
    return link if link.static else replace(link, cost=link.cost.beside())


@dataclass(frozen=True)
class InShardsSweeps(Sweeps):
    """The sweeps of the shards, kept or None; `again` linearizes a shard that is not kept."""

    owner: InShards
    kept: Sequence[Sweeps | None]
    again: Sequence[Callable[[], tuple[Array, Sweeps]]]
    second_order: bool
    sums: str | None

    def tangent(self, du: Sequence[Controls]) -> tuple[Array, list[Any]]:
        """The tangents of the ends, one below the other, and those on the way of kept shards."""

        def tangent(k: int) -> tuple[Array, Any]:
            end, tangents = self._sweeps(k).tangent(du)
            return end, None if self.kept[k] is None else tangents

        ends, tangents = zip(*self._map(tangent), strict=True)
        return np.concatenate(ends), list(tangents)

    def adjoint(self, p: Array) -> list[Controls]:
        """The sum over the shards, in their order."""
        shards = self.owner.shards
        return _sum(self._map(lambda k: self._sweeps(k).adjoint(p[shards[k]])))

    def of_each(self, p: Array) -> list[Controls]:
        """Those of the shards, one below the other."""
        shards = self.owner.shards
        found = list(self._map(lambda k: self._sweeps(k).of_each(p[shards[k]])))
        return [
            {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
            for pieces in zip(*found, strict=True)
        ]

    def second(
        self, p: Array, dp: Array, tangents: list[Any], du: Sequence[Controls]
    ) -> list[Controls]:
        """The sum over the shards, in their order."""

        def second(k: int) -> list[Controls]:
            sweeps, shard = self._sweeps(k), self.owner.shards[k]
            known = sweeps.tangent(du)[1] if tangents[k] is None else tangents[k]
            return sweeps.second(p[shard], dp[shard], known, du)

        return _sum(self._map(second))

    def _sweeps(self, k: int) -> Sweeps:
        kept = self.kept[k]
        return self.again[k]()[1] if kept is None else kept

    def _map(self, work: Callable[[int], Any]) -> Iterator[Any]:
        return self.owner.engine.map(work, self.owner.numbers)


def _sum(shares: Iterator[list[Controls]]) -> list[Controls]:
    total = next(shares)
    for share in shares:
        total = [_added(a, b) for a, b in zip(total, share, strict=True)]
    return total


def _added(a: Controls, b: Controls) -> Controls:
    return {name: a[name] + b[name] for name in a}
