"""Differences of neighbours along an axis, and their adjoints.

    D u = (u₂ − u₁, u₃ − u₂, …),    ⟨D u, r⟩ = ⟨u, Dᵀ r⟩

Dᵀ D is the negative second difference with reflecting ends (Neumann). Axes are counted from the
last one, which is −1.
"""

from __future__ import annotations

from occore import Array, array_namespace


def difference(u: Array, axis: int = -1) -> Array:
    """D along an axis, which becomes shorter by one."""
    after = (slice(None),) * (-axis - 1)
    return u[..., 1:, *after] - u[..., :-1, *after]


def transposed_difference(r: Array, axis: int = -1) -> Array:
    """Dᵀ along an axis, which becomes longer by one."""
    xp = array_namespace(r)
    shape = list(r.shape)
    shape[axis] = 1
    edge = xp.zeros(tuple(shape), dtype=r.dtype)
    return xp.concat([edge, r], axis=axis) - xp.concat([r, edge], axis=axis)


def laplacian(u: Array, axes: tuple[int, ...]) -> Array:
    """Σ Dᵀ D along these axes, a Kronecker sum; it is symmetric, and zero along one cell."""
    total = 0 * u
    for axis in axes:
        if u.shape[axis] > 1:
            total = total + transposed_difference(difference(u, axis), axis)
    return total
