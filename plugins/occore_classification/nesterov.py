"""Nesterov's accelerated gradient, restarted where its momentum points uphill.

    θ⁺ = y − ∇J(y)/ℓ,    y = θ + (t − 1)/t₊ (θ − θ₋),    t₊ = (1 + √(1 + 4 t²))/2

Nesterov, Soviet Math. Dokl. 27 (1983), 372–376; restart of O'Donoghue and Candès (2015). It is
FISTA without a second term; what they share is in `proximal`. Two gradients a step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from occore import Example, Structure
from occore_classification.proximal import ProximalOptimizer


@dataclass(frozen=True)
class Nesterov(ProximalOptimizer):
    """For smooth convex problems; linear at the root of the condition of the Hessian."""

    requires: ClassVar[tuple[Structure, ...]] = ("smooth",)
    momentum: ClassVar[bool] = True

    @classmethod
    def example(cls) -> Example:
        """A line through (0, 1), (1, 3), (2, 5): y = 1 + 2 x, by hand."""
        from occore_least_squares.direct import line

        return replace(line(cls(tolerance=1e-10)), rtol=1e-7)
