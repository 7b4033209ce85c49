"""Adam: momentum, and a step of its own for each unknown by the size of its recent gradients.

    m ← β₁ m + (1 − β₁) g,    v ← β₂ v + (1 − β₂) g ∘ g
    θ ← θ − η (m/(1 − β₁ᵗ)) / (√(v/(1 − β₂ᵗ)) + ε) − η λ θ

symbol   code          meaning
m, v     carried       running means of g and of g ∘ g; divided by 1 − βᵗ since they start at zero
β₁, β₂   beta1, beta2  how much of the running means is kept
t        updates       number of the update
ε        epsilon       keeps the quotient finite
λ        weight_decay  decay of all controls, apart from the gradient; 0 is Adam itself

Kingma and Ba, Adam, ICLR (2015), algorithm 1. Decoupled decay: Loshchilov and Hutter, ICLR (2019),
algorithm 2; it is no term of the objective, so that θ settles away from its minimiser. The size of
a step does not fall with the gradient: for convergence let the rate fall. What it shares with other
methods is in `stochastic`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from occore import Array, Example, Problem, Structure
from occore_single_layer.stochastic import StochasticOptimizer


@dataclass(frozen=True)
class Adam(StochasticOptimizer):
    """Adaptive moments; with `weight_decay` what is called AdamW."""

    requires: ClassVar[tuple[Structure, ...]] = ("smooth",)
    rows: ClassVar[int] = 2

    learning_rate: Annotated[float, Field(gt=0, description="of the first update, η")] = 0.001
    beta1: Annotated[float, Field(ge=0, lt=1, description="β₁, of the mean of g")] = 0.9
    beta2: Annotated[float, Field(ge=0, lt=1, description="β₂, of the mean of g²")] = 0.999
    epsilon: Annotated[float, Field(gt=0, description="added to the root")] = 1e-8
    weight_decay: Annotated[
        float, Field(ge=0, description="λ, of all controls apart from the gradient")
    ] = 0.0

    def update(
        self, problem: Problem, theta: Array, carried: Array, g: Array, rate: float, updates: int
    ) -> None:
        """The formula of the module's head."""
        m, v = carried
        m *= self.beta1
        m += (1 - self.beta1) * g
        v *= self.beta2
        g *= g
        g *= 1 - self.beta2
        v += g
        root = np.sqrt(v, out=g)
        root /= math.sqrt(1 - self.beta2**updates)
        root += self.epsilon
        if self.weight_decay:
            theta *= 1 - rate * self.weight_decay
        step = m / root
        step *= rate / (1 - self.beta1**updates)
        theta -= step

    @classmethod
    def example(cls) -> Example:
        """A line through (0, 1), (1, 3), (2, 5): y = 1 + 2 x, by hand."""
        from occore_least_squares.direct import line

        method = cls(
            max_iterations=250,
            batch=2,
            learning_rate=0.3,
            schedule="exponential",
            half_life=10.0,
            beta2=0.9,
            exact_values=True,
        )
        return replace(line(method), rtol=1e-5)
