"""Stochastic diagonal Levenberg–Marquardt: a step of its own for each unknown, by its curvature.

    θ_k ← θ_k − η g_k / (h_k + μ),    h_k = (JᵀJ)_kk, of the residual r with J(θ) = ½‖r‖²

symbol   code         meaning
h        carried[0]   diagonal of the Gauss–Newton matrix, estimated anew before each epoch
μ        damping      keeps the step finite where the curvature vanishes
J        —            Jacobian of the residual of J_B, of mini-batches B (`stochastic`)
w        signs        random signs, one for each entry of the residual

(Jᵀw)_k² has the mean h_k, since different signs do not correlate. Its variance is that of one
square; so h is averaged over mini-batches of `curvature_samples` samples that are drawn at random,
and over `probes` sets of signs. A second derivative that is not positive is never met, as it could
be in the full Hessian. With `batch = 1` an update is made for each pattern, as in the papers.

LeCun et al., Handwritten digit recognition with a back-propagation network, NIPS 2 (1990), section
4, after Becker and LeCun, Improving the convergence of back-propagation learning with second order
methods (1989); they carry diagonals back from layer to layer and neglect the rest, while the signs
here give the diagonal of the whole matrix. LeCun, Bottou, Orr and Müller, Efficient BackProp
(1998), section 9.1. What it shares with other methods is in `stochastic`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from occore import Array, Example, Problem, Structure
from occore_single_layer.stochastic import StochasticOptimizer


@dataclass(frozen=True)
class StochasticDiagonalLM(StochasticOptimizer):
    """Steps η g/(h + μ), entry by entry, with the Gauss–Newton diagonal h."""

    requires: ClassVar[tuple[Structure, ...]] = ("least_squares",)
    rows: ClassVar[int] = 1

    batch: Annotated[int, Field(gt=0, description="samples of a mini-batch")] = 1
    damping: Annotated[float, Field(gt=0, description="μ, added to the curvature")] = 0.02
    curvature_samples: Annotated[
        int, Field(gt=0, description="samples of which the curvature is taken")
    ] = 500
    probes: Annotated[int, Field(gt=0, description="sets of signs for each of their batches")] = 1

    def update(
        self, problem: Problem, theta: Array, carried: Array, g: Array, rate: float, updates: int
    ) -> None:
        """The formula of the module's head."""
        in_an_epoch = -(-problem.data.samples // self.batch)
        if (updates - 1) % in_an_epoch == 0:
            rng = np.random.default_rng([self.seed, updates, 1])
            carried[0] = self.curvature(problem, theta, rng)
        g *= rate
        g /= carried[0] + self.damping
        theta -= g

    def curvature(self, problem: Problem, theta: Array, rng: np.random.Generator) -> Array:
        """h at θ, (size,), an estimate without bias."""
        drawn = rng.permutation(problem.data.samples)[: self.curvature_samples]
        h = np.zeros_like(theta)
        for start in range(0, drawn.size, self.batch):
            indices = drawn[start : start + self.batch]
            share = indices.size / drawn.size / self.probes
            at = problem.minibatch(indices).at(theta)
            rows = at.residual().size
            for _ in range(self.probes):
                signs = rng.choice(np.array([-1.0, 1.0], theta.dtype), rows)
                h += share * at.residual_vjp(signs) ** 2
        return h

    @classmethod
    def example(cls) -> Example:
        """A line through (0, 1), (1, 3), (2, 5): y = 1 + 2 x, by hand.

        It fits without errors, so that steps for single samples end there too.
        """
        from occore_least_squares.direct import line

        method = cls(max_iterations=150, learning_rate=0.3, exact_values=True)
        return replace(line(method), rtol=1e-7)
