"""Differences of neighbours along an axis, and their adjoints.

    D u = (u₂ − u₁, u₃ − u₂, …),    ⟨D u, r⟩ = ⟨u, Dᵀ r⟩

Dᵀ D is the negative second difference with reflecting ends (Neumann).
"""

from __future__ import annotations

from occore import Array, array_namespace


def difference(u: Array) -> Array:
    """D along the last axis, which becomes shorter by one."""
    return u[..., 1:] - u[..., :-1]


def transposed_difference(r: Array) -> Array:
    """Dᵀ along the last axis, which becomes longer by one."""
    xp = array_namespace(r)
    edge = xp.zeros((*r.shape[:-1], 1), dtype=r.dtype)
    return xp.concat([edge, r], axis=-1) - xp.concat([r, edge], axis=-1)


def row_difference(u: Array) -> Array:
    """D along the last axis but one."""
    return u[..., 1:, :] - u[..., :-1, :]


def transposed_row_difference(r: Array) -> Array:
    """Dᵀ along the last axis but one."""
    xp = array_namespace(r)
    edge = xp.zeros((*r.shape[:-2], 1, r.shape[-1]), dtype=r.dtype)
    return xp.concat([edge, r], axis=-2) - xp.concat([r, edge], axis=-2)
