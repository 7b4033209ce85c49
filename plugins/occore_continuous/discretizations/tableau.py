"""Butcher tableaux: the coefficients of a Runge–Kutta method, exact where they are rational.

    k_i = f(t + c_i h, x + h Σ_j a_ij k_j, u(t + c_i h)),    x(t + h) ≈ x + h Σ_i b_i k_i

    symbol   code      shape     meaning
    c        c         (s,)      abscissae of the stages
    a        a         (s, s)    a_ij, weight of k_j in the argument of stage i
    b        b         (s,)      weights of the step
    b̂        embedded  (s,) each weights of embedded methods; b − b̂ estimates the error
    b(θ)     dense     (s,)      weights of the state at t + θ h, a function of θ

Hairer, Nørsett and Wanner I, sections II.1, II.4 (embedded methods) and II.6 (dense output).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Self

from occore import Array

Number = Fraction | float
Numbers = tuple[Number, ...]
Weights = tuple[tuple[int, float], ...]
"""Nonzero weights with the numbers of their stages."""


def alone(error: Array) -> Array:
    """The estimate of a method with one embedded method: the difference itself."""
    return error


@dataclass(frozen=True)
class Tableau:
    """The coefficients of one method, with the rows that its error and dense output need.

    A stage that the step itself does not use, such as f at the end point, has weight zero and
    comes last. `fields` says which part of a split dynamics each stage evaluates; empty: the first.
    `estimate` makes one estimate of the errors h Σ (b − b̂) k of all embedded methods.
    """

    c: Numbers
    a: tuple[Numbers, ...]
    b: Numbers
    embedded: tuple[Numbers, ...] = ()
    dense: Callable[[Any], tuple[Any, ...]] | None = None
    fields: tuple[int, ...] = ()
    estimate: Callable[..., Array] = alone

    @classmethod
    def parse(cls, text: str, dense: Callable[[Any], tuple[Any, ...]] | None = None) -> Self:
        """The tableau as it stands in books: lines `c | a …`, then `| b …` and perhaps `| b̂ …`.

        Numbers are fractions or decimals and are kept exactly; zeros at the end of a line may be
        left out.
        """
        c, a, weights = [], [], []
        for line in filter(str.strip, text.splitlines()):
            left, _, right = line.partition("|")
            (a if left.strip() else weights).append([Fraction(word) for word in right.split()])
            c.extend(Fraction(word) for word in left.split())
        a, (b, *embedded) = (padded(rows, len(c)) for rows in (a, weights))
        return cls(tuple(c), tuple(a), b, tuple(embedded), dense)

    @cached_property
    def abscissae(self) -> tuple[float, ...]:
        """Distinct stage times relative to the step, increasing."""
        return tuple(sorted({float(c) for c in self.c}))

    @cached_property
    def places(self) -> tuple[int, ...]:
        """The place of each stage's time among the abscissae."""
        return tuple(self.abscissae.index(float(c)) for c in self.c)

    @cached_property
    def times(self) -> tuple[float, ...]:
        """c as floats."""
        return tuple(float(c) for c in self.c)

    @cached_property
    def matrix(self) -> tuple[tuple[float, ...], ...]:
        """a as floats."""
        return tuple(tuple(map(float, row)) for row in self.a)

    @cached_property
    def rows(self) -> tuple[Weights, ...]:
        """Of each stage: the weights of the stages before it."""
        return tuple(nonzero(row[:i]) for i, row in enumerate(self.matrix))

    @cached_property
    def columns(self) -> tuple[Weights, ...]:
        """Of each stage: its weights in the stages after it, as far as the step uses them."""
        return tuple(
            tuple(
                (i, self.matrix[i][j]) for i in range(j + 1, self.active) if self.matrix[i][j] != 0
            )
            for j in range(self.active)
        )

    @cached_property
    def weights(self) -> Weights:
        """b."""
        return nonzero(self.b)

    @cached_property
    def errors(self) -> tuple[Weights, ...]:
        """b − b̂ of each embedded method."""
        return tuple(
            nonzero([b - hat for b, hat in zip(self.b, row, strict=True)]) for row in self.embedded
        )

    @cached_property
    def active(self) -> int:
        """Number of stages that the step uses; the rest serve error and dense output."""
        return 1 + self.weights[-1][0]

    @cached_property
    def active_with_error(self) -> int:
        """Number of stages that the step and its error estimate use."""
        return max(self.active, *(1 + error[-1][0] for error in self.errors))

    @cached_property
    def triangular(self) -> bool:
        """Whether a stage depends on itself and on those before it only."""
        return all(w == 0 for i, row in enumerate(self.matrix) for w in row[i + 1 :])

    @cached_property
    def symmetric(self) -> bool:
        """Whether the step with −h undoes the step: a_ij + a_{s+1−i,s+1−j} = b_j.

        Hairer, Lubich and Wanner, Geometric Numerical Integration (2006), theorem V.2.3; stages of
        a split dynamics must be of the same part as their mirror image. Sums of irrational
        coefficients have rounding errors.
        """
        mirrored = [row[::-1] for row in self.matrix[::-1]]
        return self.fields == self.fields[::-1] and all(
            abs(x + y - float(b)) <= 1e-15
            for row, other in zip(self.matrix, mirrored, strict=True)
            for x, y, b in zip(row, other, self.b, strict=True)
        )

    def field(self, stage: int) -> int:
        """Which part of a split dynamics the stage evaluates."""
        return self.fields[stage] if self.fields else 0


def nonzero(weights: Sequence[Number]) -> Weights:
    """The weights that are not zero, as floats."""
    return tuple((j, float(w)) for j, w in enumerate(weights) if w != 0)


def padded(rows: Sequence[Sequence[Number]], size: int) -> list[Numbers]:
    """The rows with zeros appended."""
    return [(*row, *(Fraction(0),) * (size - len(row))) for row in rows]
