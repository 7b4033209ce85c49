"""A composition of maps x → y₁(x, u₁) → y₂(y₁, u₂) → …, each with controls of its own.

Steps make a march and phases make a chain: both are compositions, and these sweeps are all that
either needs. Backpropagation is `vjp`. The second-order adjoint needs the tangents dx of a sweep
forward, then carries the adjoint p and its directional derivative dp backward:

    (px, pu) = yᵀ p,    (dpx, dpu) = yᵀ dp + curvature(p, dx, du)

Griewank and Walther, Evaluating Derivatives (2008), section 5.4 (second-order adjoints).
"""

from collections.abc import Sequence

from occore.arrays import Array, Controls
from occore.linearization import Linearization


def vjp(parts: Sequence[Linearization], p: Array) -> tuple[Array, list[Controls]]:
    """Adjoint of the composition: px, and pu of each part in the order of the parts."""
    pu = []
    for part in reversed(parts):
        p, q = part.vjp(p)
        pu.append(q)
    return p, pu[::-1]


def control_tangents(
    parts: Sequence[Linearization], zero: Array, du: Sequence[Controls]
) -> list[Array]:
    """Tangents along the controls alone before each part, and after the last.

    The first is `zero`, the tangent of the state x.
    """
    first = parts[0]
    dy = first.jvp(zero, du[0]) if first.control_jvp is None else first.control_jvp(du[0])
    tangents = [zero, dy]
    for part, d in zip(parts[1:], du[1:], strict=True):
        tangents.append(part.jvp(tangents[-1], d))
    return tangents


def control_vjp(parts: Sequence[Linearization], p: Array) -> list[Controls]:
    """Adjoint for the controls alone, in the order of the parts."""
    p, pu = vjp(parts[1:], p)
    first = parts[0]
    return [first.vjp(p)[1] if first.control_vjp is None else first.control_vjp(p), *pu]


def control_second_adjoint(
    parts: Sequence[Linearization],
    p: Array,
    dp: Array,
    tangents: Sequence[Array],
    du: Sequence[Controls],
) -> list[Controls]:
    """Second-order adjoint for the controls alone, in the order of the parts.

    p, dp: the adjoint of the end and its directional derivative. tangents: of `control_tangents`.
    """
    dpu = []
    for part, tangent, d in zip(reversed(parts), tangents[-2::-1], reversed(du), strict=True):
        p, dp, q = second_adjoint(part, p, dp, tangent, d)
        dpu.append(q)
    return dpu[::-1]


def second_adjoint(
    part: Linearization, p: Array, dp: Array, dx: Array, du: Controls
) -> tuple[Array, Array, Controls]:
    """One part of the backward sweep: the next p and dp, and dpu of the part."""
    if part.second is not None:
        return part.second(p, dp, dx, du)
    assert part.curvature is not None, "asked for before the sweep"  # noqa: S101
    second, second_u = part.curvature(p, dx, du)
    first, first_u = part.vjp(dp)
    p, _ = part.vjp(p)
    return p, first + second, {name: first_u[name] + second_u[name] for name in first_u}
