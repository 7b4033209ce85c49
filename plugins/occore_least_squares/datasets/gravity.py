"""Gravity: a mass distribution below the ground from the field above it, an ill-posed problem.

    g(s) = ∫₀¹ K(s, t) f(t) dt,   K(s, t) = d (d² + (s − t)²)^(−3/2),   f(t) = sin(πt) + ½ sin(2πt)

    A_ij = K(s_i, t_j)/n,   x_j = f(t_j),   b = A x + ε,   ε ~ N(0, σ² I),   s_i = t_i = (i − ½)/n

    symbol   code                   shape     meaning
    A        Data.inputs            (n, n)    midpoint rule, one equation a row
    b        Data.targets           (n, 1)    the field with noise
    x        Gravity().system()[1]  (n,)      what the noise hides
    d, σ     depth, noise                     options; deeper masses are harder to see

Hansen, Discrete Inverse Problems (2010), section 2.1 and exercise 2.2. The singular values fall
like exp(−c d k), so that noise makes the plain solution useless.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import Array, Data, Dataset, Example
from occore_least_squares.datasets.content import array_digest


@dataclass(frozen=True)
class Gravity(Dataset):
    """b = A x + ε for a smooth x; to be fitted by a linear map without bias."""

    points: Annotated[int, Field(gt=1, description="n, of the rule and of the field")] = 64
    depth: Annotated[
        float, Field(gt=0, allow_inf_nan=False, description="d, in lengths of the interval")
    ] = 0.25
    noise: Annotated[
        float,
        Field(ge=0, allow_inf_nan=False, description="standard deviation σ of each entry of ε"),
    ] = 0.1

    def system(self) -> tuple[Array, Array]:
        """A (n, n) and the solution x (n,)."""
        t = (np.arange(self.points) + 0.5) / self.points
        d = self.depth
        A = d * (d**2 + (t[:, None] - t) ** 2) ** -1.5 / self.points
        return A, np.sin(np.pi * t) + np.sin(2 * np.pi * t) / 2

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """The rows of A and b; ε is drawn from rng."""
        A, x = self.system()
        b = A @ x + self.noise * rng.standard_normal(self.points)
        return Data(A, b[:, None], digest=array_digest(A, b))

    @classmethod
    def example(cls) -> Example:
        """As many equations as unknowns."""
        return Example(cls(points=5), value=(5, 5))
