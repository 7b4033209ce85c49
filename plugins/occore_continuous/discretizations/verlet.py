"""Position Verlet, the Störmer–Verlet method in its position form: drift, kick, drift.

    q½ = q + h/2 f_q(t, p),    p₁ = p + h f_p(t + h/2, q½),    q₁ = q½ + h/2 f_q(t + h, p₁)

M. Tuckerman, B. J. Berne and G. J. Martyna, Reversible multiple time scale molecular dynamics,
J. Chem. Phys. 97 (1992), 1990–2001.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from occore import Example
from occore_continuous.discretizations.linear_equations import oscillator
from occore_continuous.discretizations.shears import Shear, Shears


@dataclass(frozen=True)
class Verlet(Shears):
    """Explicit, order 2, symplectic and reversible, for separable problems.

    The state is (q, p), its first axis cut in the middle; dq/dt must depend on p alone and dp/dt on
    q alone, which is not checked. Stable for h ω ≤ 2. Forces enter once a step, in its middle;
    `leapfrog` takes them at both ends. No dense output, no error estimate.
    """

    order: ClassVar[int] = 2
    shears: ClassVar[tuple[Shear, ...]] = (
        Shear(0.5, 0, "q"),
        Shear(1.0, 1, "p"),
        Shear(0.5, 2, "q"),
    )

    @classmethod
    def example(cls) -> Example:
        """q' = p, p' = −q, h = 1/2: p₁ = −1/2, q₁ = 1 − 1/8, by hand."""
        return Example(
            cls(), dynamics=oscillator(), x=[[1.0, 0.0]], h=0.5, u={}, value=[[0.875, -0.5]]
        )
