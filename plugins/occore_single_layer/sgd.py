"""Stochastic gradient descent with momentum.

    v ← prox_{ηR}(θ + μ v − η g) − θ,    θ ← θ + v,    g = ∇f_B(θ), or ∇f_B(θ + μ v) of Nesterov

symbol   code          meaning
μ        momentum      share of the last step that is made again; 0 for plain gradient steps
v        carried[0]    the last step
f, R     —             smooth terms, and the term with kinks, without which prox is the identity
λ        weight_decay  decay of all controls, apart from the gradient: then θ ← (1 − η λ) θ

With all samples in a batch this is the method of Rumelhart, Hinton and Williams, Learning
representations by back-propagating errors, Nature 323 (1986), 533–536: steps with the full gradient
and momentum, with every weight decremented by a share of it, η λ, after each change.

With `l1` the proximal map is soft thresholding, which makes weights exactly zero; a point that does
not move minimises f + R, with momentum too. A weight stays zero where the noise of its gradient is
below the weight of the penalty, however small η is: sparsity wants batches that are not too small.

Polyak, USSR Comput. Math. Math. Phys. 4 (1964), 1–17; Nesterov, Soviet Math. Dokl. 27 (1983),
372–376; both in these letters by Sutskever, Martens, Dahl and Hinton, ICML (2013), equations 1–4.
Proximal steps: Duchi and Singer, J. Mach. Learn. Res. 10 (2009), 2899–2934. What it shares with
other methods is in `stochastic`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from pydantic import Field

from occore import Array, Example, Problem, Structure
from occore_classification.lasso_example import scalar_lasso
from occore_classification.proximal import proximal_point
from occore_single_layer.stochastic import StochasticOptimizer


@dataclass(frozen=True)
class SGD(StochasticOptimizer):
    """Stochastic gradient steps with momentum; with a proximal map for a term with kinks."""

    requires: ClassVar[tuple[Structure, ...]] = ("composite",)
    rows: ClassVar[int] = 1

    momentum: Annotated[float, Field(ge=0, lt=1, description="μ, share of the last step")] = 0.0
    nesterov: Annotated[bool, Field(description="gradient at θ + μ v in place of θ")] = False
    weight_decay: Annotated[
        float, Field(ge=0, description="λ, of all controls apart from the gradient")
    ] = 0.0

    def point(self, theta: Array, carried: Array) -> Array:
        """θ, or θ + μ v."""
        return theta + self.momentum * carried[0] if self.nesterov else theta

    def update(
        self, problem: Problem, theta: Array, carried: Array, g: Array, rate: float, updates: int
    ) -> None:
        """The formula of the module's head."""
        v = carried[0]
        v *= self.momentum
        g *= rate
        v -= g
        if problem.smooth_part is not problem:
            v[:] = proximal_point(problem, theta + v, rate) - theta
        theta += v
        if self.weight_decay:
            theta *= 1 - rate * self.weight_decay

    @classmethod
    def example(cls) -> Example:
        """The lasso of two samples, by hand; each mini-batch is all of them."""
        lasso = scalar_lasso(
            cls(max_iterations=60, batch=2, learning_rate=0.25, momentum=0.3, exact_values=True)
        )
        return replace(lasso, rtol=1e-10)
