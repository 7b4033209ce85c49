"""Leapfrog, the Störmer–Verlet method in its velocity form: kick, drift, kick.

    p½ = p + h/2 f_p(t, q),    q₁ = q + h f_q(t + h/2, p½),    p₁ = p½ + h/2 f_p(t + h, q₁)

Hairer, Lubich and Wanner, Geometric numerical integration illustrated by the Störmer–Verlet method,
Acta Numerica 12 (2003), 399–450.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from occore import Example
from occore_continuous.discretizations.linear_equations import oscillator
from occore_continuous.discretizations.shears import Shear, Shears


@dataclass(frozen=True)
class Leapfrog(Shears):
    """Explicit, order 2, symplectic and reversible, for separable problems.

    The state is (q, p), its first axis cut in the middle; dq/dt must depend on p alone and dp/dt on
    q alone, which is not checked. Stable for h ω ≤ 2. No dense output, no error estimate.
    """

    order: ClassVar[int] = 2
    shears: ClassVar[tuple[Shear, ...]] = (
        Shear(0.5, 0, "p"),
        Shear(1.0, 1, "q"),
        Shear(0.5, 2, "p"),
    )

    @classmethod
    def example(cls) -> Example:
        """q' = p, p' = −q, h = 1/2: q₁ = 1 − 1/8, p₁ = −1/4 − 7/32, by hand."""
        return Example(
            cls(), dynamics=oscillator(), x=[[1.0, 0.0]], h=0.5, u={}, value=[[0.875, -0.46875]]
        )
