"""Batch normalisation: each channel has mean 0 and deviation 1 over all samples and cells.

y = γ (x − mean)/√(variance + ε) + β, with γ = 1 and β = 0 where they are not trainable. Mean and
variance are those of the batch that is given, so that samples depend on each other: in training,
those of the training data, or of the mini-batch. Held-out inputs are evaluated with the statistics
of the training data (`occore.Problem.output`), not of their own, and not with averages kept from
past steps: so what a sample is taken for depends on θ and the training data alone. The formulas are
in `occore_convolution.normalisation`.

Source: Ioffe and Szegedy, Batch normalization (2015), algorithms 1 and 2.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated

from pydantic import Field

from occore import Example
from occore_convolution.normalisation import Groups, Normalisation


@dataclass(frozen=True)
class BatchNormalisation(Normalisation):
    """Mean 0 and deviation 1 of each channel over the batch."""

    state_shape: tuple[int, ...]
    trainable: Annotated[bool, Field(description="a scale γ and shift β for each channel")] = True
    epsilon: Annotated[float, Field(gt=0, description="ε, added to the variance")] = 1e-5
    leading: int | None = field(default=None, metadata={"option": False})
    """How many samples, the first ones, mean and variance are taken of; all by default."""

    couples_samples = True

    @property
    def groups(self) -> Groups:
        """All samples and cells of one channel."""
        return Groups("batch", self.epsilon, self.leading)

    def coupled_by_first(self, samples: int) -> BatchNormalisation:
        """With the mean and variance of the first so many samples, for those and the others."""
        return replace(self, leading=samples)

    @classmethod
    def example(cls) -> Example:
        """Both channels deviate by 1 from their means 2 and −3; √(1 + ε) = 5/4."""
        return Example(
            cls(state_shape=(2, 2), epsilon=0.5625),
            x=[[[1.0, -4.0], [3.0, -4.0]], [[3.0, -2.0], [1.0, -2.0]]],
            u={"scale": [2.0, 0.5], "shift": [1.0, -1.0]},
            value=[[[-0.6, -1.4], [2.6, -1.4]], [[2.6, -0.6], [-0.6, -0.6]]],
        )
