"""Output and derivative of a march with events, sample by sample.

The tangent of a sample is (dx, dt), with dt that of the time of the last event until the next node;
the adjoint (p, p_t) goes back through the same segments, and so does its derivative (dp, dp_t).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from occore.adjoint import March
from occore.arrays import Array, Controls, array_namespace
from occore.checkpointing import Reversible, States, Steps, Sweep
from occore.events import Event
from occore.hybrid_march import HybridMarch, Piece
from occore.linearization import Linearization
from occore.segments import Direction, Segment, add


@dataclass(frozen=True)
class Happened:
    """An event of a trajectory: which one, when, and the states before and after."""

    event: Event
    time: float
    before: Array
    after: Array


@dataclass(frozen=True)
class EventMarch:
    """The march of all samples, each with its events."""

    march: March
    events: tuple[Event, ...]

    @property
    def one(self) -> HybridMarch:
        """The march of one sample."""
        return HybridMarch(self.march, self.events)

    def __call__(self, x: Array, u: Controls) -> Array:
        """The output."""
        return _join([observe(self.march, a, self.one.follow(a, u)) for a in _samples(x)])

    def states(self, x: Array, u: Controls) -> Iterator[Array]:
        """The states at the nodes after the start; after a terminal event they rest."""
        nodes = [at_nodes(self.march, self.one.follow(a, u)) for a in _samples(x)]
        yield from map(_join, zip(*nodes, strict=True))

    def happened(self, x: Array, u: Controls) -> list[list[Happened]]:
        """The events of each sample, in order."""
        return [list(self._happened(a, u)) for a in _samples(x)]

    def linearize(self, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The output and its derivative with respect to (x, coefficients)."""
        parts = [HybridLinearization(self.one, a, u) for a in _samples(x)]
        return _join([part.output for part in parts]), EachSample(tuple(parts))

    def _happened(self, x: Array, u: Controls) -> Iterator[Happened]:
        for piece, y in self.one.follow(x, u):
            if piece.reset and piece.event is not None:
                yield Happened(piece.event, piece.t, x[0], y[0])
            x = y


@dataclass(frozen=True)
class EachSample(Linearization):
    """The samples one beside the other; the adjoint of the controls is their sum."""

    parts: tuple[Linearization, ...]

    def jvp(self, dx: Array, du: Controls) -> Array:
        """The tangents of the samples."""
        pairs = zip(self.parts, _samples(dx), strict=True)
        return _join([part.jvp(d, du) for part, d in pairs])

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """The adjoints of the samples."""
        pairs = zip(self.parts, _samples(py), strict=True)
        return _sum([part.vjp(p) for part, p in pairs])

    @property
    def curvature(self) -> Callable[[Array, Array, Controls], tuple[Array, Controls]] | None:
        """Where every sample has one."""
        every = all(part.curvature is not None for part in self.parts)
        return self._curvature if every else None

    def _curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        triples = zip(self.parts, _samples(py), _samples(dx), strict=True)
        return _sum([part.curvature(p, d, du) for part, p, d in triples if part.curvature])


class HybridLinearization(Linearization):
    """The derivative of one sample's march; what it stores is up to the memory policy."""

    def __init__(self, hybrid: HybridMarch, x: Array, u: Controls) -> None:
        self.hybrid, self.x, self.u = hybrid, x, u
        self.pieces: list[Piece] = []
        self.output = observe(hybrid.march, x, self._follow())
        self._sweep: Sweep | None = self._forward()

    def jvp(self, dx: Array, du: Controls) -> Array:
        """Tangent sweep."""
        return observe(self.hybrid.march, dx, self._tangents(dx, du))

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """Adjoint sweep."""
        sweep = self._sweep or self._forward()
        self._sweep = sweep if sweep.reusable else None
        total, p, pt = dict[str, Array](), self._after_the_end(py), 0.0
        for node, segment in self._reverse(sweep):
            p, pt, pu = segment.vjp(self._observed(node, p, py), pt)
            total = add(pu, total)
        return self._observed(0, p, py), total

    @property
    def curvature(self) -> Callable[[Array, Array, Controls], tuple[Array, Controls]] | None:
        """Second-order adjoint sweep, where all parts have second derivatives."""
        return self._curvature if self._has_curvature else None

    def _curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """(x, dx, dt) goes forward, (p, p_t) and (dp, dp_t) come back."""
        total, p, pt = dict[str, Array](), self._after_the_end(py), 0.0
        dp, dpt = 0 * p, 0.0
        for node, (segment, along, dt) in self._reverse(self._tangent_sweep(dx, du)):
            pair, direction = (self._observed(node, p, py), pt), Direction(along, dt, du)
            (p, pt), (dp, dpt, dpu) = segment.second(pair, (dp, dpt), direction)
            total = add(dpu, total)
        return dp, total

    @cached_property
    def _has_curvature(self) -> bool:
        return self.hybrid.twice_differentiable(self.x, self.u)

    def _follow(self) -> Iterator[tuple[Piece, Array]]:
        """The pieces and the states at their ends; the pieces are kept."""
        for piece, y in self.hybrid.follow(self.x, self.u):
            self.pieces.append(piece)
            yield piece, y

    def _tangents(self, dx: Array, du: Controls) -> Iterator[tuple[Piece, Array]]:
        dt = 0.0
        for piece, segment in zip(self.pieces, self._segments(), strict=True):
            dx, dt = segment.jvp(Direction(dx, dt, du))
            yield piece, dx

    def _segments(self) -> Iterator[Segment]:
        if self._sweep is not None and self._sweep.parts is not None:
            yield from self._sweep.parts
            return
        x = self.x
        for piece in self.pieces:
            x, segment = self.hybrid.segment(piece, x, self.u)
            yield segment

    def _forward(self) -> Sweep:
        def advance(k: int, state: Any) -> Any:
            return (self.hybrid.advance(self.pieces[k], state[0], self.u),)

        def linearize(k: int, state: Any) -> Any:
            x, segment = self.hybrid.segment(self.pieces[k], state[0], self.u)
            return (x,), segment

        return self._swept((self.x,), advance, linearize)

    def _tangent_sweep(self, dx: Array, du: Controls) -> Sweep:
        """A sweep of (x, dx, dt); it hands out (map of the piece, dx, dt)."""
        stored = None if self._sweep is None else self._sweep.parts

        def linearize(k: int, state: Any) -> Any:
            x, dx, dt = state[0], state[1], float(state[2])
            if stored is None:
                x, segment = self.hybrid.segment(self.pieces[k], x, self.u)
            else:
                segment = stored[k]
            dy, dt_end = segment.jvp(Direction(dx, dt, du))
            return (x, dy, np.asarray(dt_end)), (segment, dx, dt)

        def advance(k: int, state: Any) -> Any:
            return linearize(k, state)[0]

        return self._swept((self.x, dx, np.zeros(())), advance, linearize)

    def _swept(self, start: Any, advance: Any, linearize: Any) -> Sweep:
        """A sweep over the pieces that has gone forward."""
        march = self.hybrid.march
        # a reset cannot be undone
        memory = States() if isinstance(march.memory, Reversible) else march.memory
        steps = Steps(len(self.pieces), start, advance, linearize)
        sweep = memory.sweep(steps, march.cost)
        sweep.forward()
        return sweep

    def _reverse(self, sweep: Sweep) -> Iterator[tuple[int | None, Any]]:
        """What the sweep hands out, from the last piece on, with the node where the piece ends."""
        node = sum(map(ends_at_node, self.pieces))
        for k, handed in sweep.reverse():
            at_node = ends_at_node(self.pieces[k])
            yield (node if at_node else None), handed
            node -= at_node

    def _after_the_end(self, py: Array) -> Array:
        """The adjoint at the end of the last piece, of what is observed behind it."""
        march, node = self.hybrid.march, sum(map(ends_at_node, self.pieces))
        p = py if march.observed is None else 0 * py[:, 0]
        for k in range(node + 1, march.grid.steps + 1):
            p = self._observed(k, p, py)
        return p

    def _observed(self, k: int | None, p: Array, py: Array) -> Array:
        """The adjoint with that of the observation at node k, if there is one."""
        place = None if k is None else self.hybrid.march.places.get(k)
        return p if place is None else p + py[:, place]


def ends_at_node(piece: Piece) -> bool:
    """Whether a piece ends at a node of the grid."""
    return piece.event is None


def at_nodes(march: March, follow: Iterable[tuple[Piece, Array]]) -> list[Array]:
    """The states at all nodes after the start; behind a terminal event that of its end."""
    pieces = list(follow)
    nodes = [y for piece, y in pieces if ends_at_node(piece)]
    return nodes + [pieces[-1][1]] * (march.grid.steps - len(nodes))


def observe(march: March, x: Array, follow: Iterable[tuple[Piece, Array]]) -> Array:
    """The end state, or the observed ones, of a march from x; what is not observed is let go."""
    kept, node = [x] if 0 in march.places else [], 0
    for piece, y in follow:
        x, node = y, node + ends_at_node(piece)
        if ends_at_node(piece) and node in march.places:
            kept.append(x)
    if march.observed is None:
        return x
    late = [x] * (len(march.places) - len(kept))  # behind a terminal event
    return array_namespace(x).stack([*kept, *late], axis=1)


def _sum(adjoints: Sequence[tuple[Array, Controls]]) -> tuple[Array, Controls]:
    """The states' part of each sample, and the sum of those of the controls."""
    total: Controls = {}
    for _, pu in adjoints:
        total = add(pu, total)
    return _join([px for px, _ in adjoints]), total


def _samples(x: Array) -> list[Array]:
    return [x[i : i + 1] for i in range(x.shape[0])]


def _join(parts: Sequence[Array]) -> Array:
    return array_namespace(parts[0]).concat(list(parts), axis=0)
