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
    """Tangents behind each part, along the controls alone; `zero` is that of the state x."""
    first = parts[0]
    dx = [first.jvp(zero, du[0]) if first.control_jvp is None else first.control_jvp(du[0])]
    for part, d in zip(parts[1:], du[1:], strict=True):
        dx.append(part.jvp(dx[-1], d))
    return dx


def control_vjp(parts: Sequence[Linearization], p: Array) -> list[Controls]:
    """Adjoint for the controls alone, in the order of the parts."""
    p, pu = vjp(parts[1:], p)
    first = parts[0]
    return [first.vjp(p)[1] if first.control_vjp is None else first.control_vjp(p), *pu]


def control_of_each(parts: Sequence[Linearization], p: Array) -> list[Controls]:
    """The same of each sample alone, (samples, *shape), where every part with controls has it."""
    pu = []
    for k, part in reversed(list(enumerate(parts))):
        pu.append({} if part.control_of_each is None else part.control_of_each(p))
        p = part.vjp(p)[0] if k else p
    return pu[::-1]


def control_second(
    parts: Sequence[Linearization],
    p: Array,
    dp: Array,
    zero: Array,
    dx: Sequence[Array],
    du: Sequence[Controls],
) -> list[Controls]:
    """d/dε of `control_vjp(parts, p)` along the controls, where p itself changes by dp.

    dx: the tangents of `control_tangents`.
    """
    dpu = []
    for part, tangent, d in zip(parts[:0:-1], dx[-2::-1], du[:0:-1], strict=True):
        p, dp, q = second_adjoint(part, p, dp, tangent, d)
        dpu.append(q)
    first = parts[0]
    if first.control_second is not None:
        dpu.append(first.control_second(p, dp, du[0]))
    else:
        dpu.append(second_adjoint(first, p, dp, zero, du[0])[2])
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
