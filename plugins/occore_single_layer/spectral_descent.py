"""Steepest descent in the spectral norm of each control, with momentum; known as Muon.

    m ← β m + (1 − β) G,    D = β m + (1 − β) G or m,    D = U Σ Vᵀ,    Θ ← Θ − η U Vᵀ

symbol     code       meaning
Θ, G       —          a control and its gradient as a matrix, whose columns are its last axis
β          momentum   how much of the running mean of G is kept
m          carried    the running mean, of all controls
U Σ Vᵀ     —          singular values of D; those that are zero to rounding are left out of U Vᵀ

Of all steps whose largest singular value is η, −η U Vᵀ decreases the linear model ⟨D, Θ⟩ most. All
directions move alike, also those whose gradients are small because their inputs are, as Newton's
method would move them; one entry by itself says little about that, which is what Adam goes by. A
stencil (*stencil, channels in, channels out) has one column for each channel out; a vector is a
single column, so that its step has the length η. The size of a step does not fall with the
gradient: for convergence let the rate fall. U Vᵀ is found by the eigenvalues of the smaller of
D Dᵀ and Dᵀ D, in double precision.

Carlson, Cevher and Carin, AISTATS (2015), PMLR 38, 111–119; Carlson et al., NIPS 28 (2015). With
momentum, and U Vᵀ approximated by a Newton–Schulz iteration: Jordan et al., Muon (2024). What it
shares with other methods is in `stochastic`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from occore import Array, Example, Problem, Structure
from occore_single_layer.stochastic import StochasticOptimizer

CUTOFF = 1e-12
"""Of the largest eigenvalue of the Gram matrix; singular values below 1e-6 of the largest."""


@dataclass(frozen=True)
class SpectralDescent(StochasticOptimizer):
    """Steps U Vᵀ of the gradient's singular value decomposition, control by control."""

    requires: ClassVar[tuple[Structure, ...]] = ("smooth",)
    rows: ClassVar[int] = 1

    learning_rate: Annotated[
        float, Field(gt=0, description="of the first update, η: the spectral norm of a step")
    ] = 0.05
    momentum: Annotated[float, Field(ge=0, lt=1, description="β, of the mean of G")] = 0.9
    nesterov: Annotated[bool, Field(description="the gradient once more in the mean")] = True

    def update(
        self, problem: Problem, theta: Array, carried: Array, g: Array, rate: float, updates: int
    ) -> None:
        """The formula of the module's head."""
        m = carried[0]
        m *= self.momentum
        g *= 1 - self.momentum
        m += g
        direction = self.momentum * m + g if self.nesterov else m
        controls = problem.layout.unflatten(theta)
        for name, D in problem.layout.unflatten(direction).items():
            columns = D.shape[-1] if D.ndim > 1 else 1
            controls[name][...] -= rate * orthogonal_factor(D.reshape(-1, columns)).reshape(D.shape)

    @classmethod
    def example(cls) -> Example:
        """A line through (0, 1), (1, 3), (2, 5): y = 1 + 2 x, by hand."""
        from occore_least_squares.direct import line

        method = cls(
            max_iterations=250,
            batch=3,
            learning_rate=0.3,
            schedule="exponential",
            half_life=10.0,
            exact_values=True,
        )
        return replace(line(method), rtol=1e-5)


def orthogonal_factor(D: Array) -> Array:
    """U Vᵀ of D = U Σ Vᵀ, in the precision of D; zero for zero."""
    A = D.astype(np.float64)
    wide = A if A.shape[0] <= A.shape[1] else A.T
    squares, Q = np.linalg.eigh(wide @ wide.T)
    kept = squares > CUTOFF * squares[-1]
    Q, roots = Q[:, kept], np.sqrt(squares[kept])
    factor = (Q / roots) @ (Q.T @ wide)
    return (factor if wide is A else factor.T).astype(D.dtype)
