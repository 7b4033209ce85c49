"""A map y(x, u) as the checks see it, and its products by name.

    symbol           code                   meaning
    y                value, linearize       the map
    d = (dx, du)     d                      direction
    p                py                     adjoint direction, like y

The products of a linearization are `jvp`, `vjp x`, `vjp u K` for each control K, `curvature x`, … .
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from occore.arrays import Array, Controls
from occore.linearization import Linearization
from occore.testing.points import Generator, like


@dataclass(frozen=True)
class Target:
    """A map as the checks see it, with random points at which it is defined."""

    subject: str
    value: Callable[[Array, Controls], Array]
    linearize: Callable[[Array, Controls], tuple[Array, Linearization]]
    point: Callable[[Generator, int], tuple[Array, Controls]]
    """point(rng, samples): a random (x, u)."""


def products(part: Linearization, dx: Array, du: Controls, py: Array) -> dict[str, Array]:
    """Every product that a linearization offers, along (dx, du) and py."""
    found = {"jvp": part.jvp(dx, du)}
    named = [("vjp", part.vjp(py))]
    if part.curvature is not None:
        named.append(("curvature", part.curvature(py, dx, du)))
    for product, (px, pu) in named:
        found |= {f"{product} x": px} | {f"{product} u {name}": p for name, p in pu.items()}
    if part.control_jvp is not None:
        found["control_jvp"] = part.control_jvp(du)
    if part.control_vjp is not None:
        found |= {f"control_vjp u {name}": p for name, p in part.control_vjp(py).items()}
    return found


@dataclass(frozen=True)
class Drawn:
    """A random point, directions, and the linearization there."""

    x: Array
    u: Controls
    d: tuple[Array, Controls]
    py: Array
    y: Array
    part: Linearization

    def products(self) -> dict[str, Array]:
        """Those of the linearization."""
        return products(self.part, *self.d, self.py)


def draw(target: Target, rng: Generator, samples: int = 2) -> Drawn:
    """Two samples show whether products over samples are summed."""
    x, u = target.point(rng, samples)
    y, part = target.linearize(x, u)
    return Drawn(x, u, (like(x, rng), like(u, rng)), like(y, rng), y, part)
