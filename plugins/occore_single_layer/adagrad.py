"""AdaGrad: each unknown has a step of its own, which its past gradients shorten.

    D ← D + g ∘ g,    θ ← θ − η g / (√D + ε)

symbol   code         meaning
D        carried[0]   sums of the squares of the gradients, entry by entry
ε        epsilon      keeps the quotient finite where all gradients have been zero

Duchi, Hazan and Singer, J. Mach. Learn. Res. 12 (2011), 2121–2159, with diagonal matrices. On the
course's slides D adds up θ ∘ θ, and the step is divided by D: neither is AdaGrad. What it shares
with other methods is in `stochastic`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from occore import Array, Example, Problem, Structure
from occore_single_layer.stochastic import StochasticOptimizer


@dataclass(frozen=True)
class AdaGrad(StochasticOptimizer):
    """Steps g/√(Σ g²), entry by entry."""

    requires: ClassVar[tuple[Structure, ...]] = ("smooth",)
    rows: ClassVar[int] = 1

    epsilon: Annotated[float, Field(gt=0, description="added to √D")] = 1e-10

    def update(
        self, problem: Problem, theta: Array, carried: Array, g: Array, rate: float, updates: int
    ) -> None:
        """The formula of the module's head."""
        D = carried[0]
        D += g * g
        root = np.sqrt(D)
        root += self.epsilon
        g /= root
        g *= rate
        theta -= g

    @classmethod
    def example(cls) -> Example:
        """A line through (0, 1), (1, 3), (2, 5): y = 1 + 2 x, by hand."""
        from occore_least_squares.direct import line

        method = cls(max_iterations=300, batch=2, learning_rate=1.0, exact_values=True)
        return replace(line(method), rtol=1e-7)
