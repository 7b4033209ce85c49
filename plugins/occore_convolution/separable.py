"""Fields on pairs (q, p) in which dq/dt depends on p and dp/dt on q: f = (A(p), B(q)).

The state has the shape (2, *shape): q, then p, so that `leapfrog` and `verlet`, which cut the first
axis in the middle, find them; each is one block of memory.
"""

from __future__ import annotations

from dataclasses import dataclass

from occore import Array, Controls, InputError, Linearization, LinearMap, array_namespace


def halves(x: Array) -> tuple[Array, Array]:
    """q and p, (samples, *shape) each."""
    return x[:, 0, ...], x[:, 1, ...]


def joined(q: Array, p: Array) -> Array:
    """The state (samples, 2, *shape)."""
    return array_namespace(q).stack([q, p], axis=1)


def half_shape(state_shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of q. Raises InputError where the state is no pair."""
    if not state_shape or state_shape[0] != 2:
        raise InputError(
            f"takes pairs (2, *grid, channels); its state has the shape {state_shape}: put a phase "
            'of kind "split_channels" before it'
        )
    return state_shape[1:]


IDENTITY = LinearMap(lambda dx: dx, lambda py: py)
"""The derivative of A(p) = p."""


@dataclass(frozen=True)
class SeparableLinearization(Linearization):
    """The derivative of (A(p), B(q)) from those of A and B, which have their own controls."""

    A: Linearization
    B: Linearization

    def jvp(self, dx: Array, du: Controls) -> Array:
        """(A' dp, B' dq)."""
        dq, dp = halves(dx)
        return joined(self.A.jvp(dp, du), self.B.jvp(dq, du))

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """(B'ᵀ of the second half, A'ᵀ of the first)."""
        first, last = halves(py)
        (p, pa), (q, pb) = self.A.vjp(first), self.B.vjp(last)
        return joined(q, p), pa | pb

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """Those of A and B."""
        assert self.A.curvature is not None and self.B.curvature is not None  # noqa: S101
        (first, last), (dq, dp) = halves(py), halves(dx)
        (p, pa), (q, pb) = self.A.curvature(first, dp, du), self.B.curvature(last, dq, du)
        return joined(q, p), pa | pb
