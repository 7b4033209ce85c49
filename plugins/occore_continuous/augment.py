"""Augmented states: zeros are appended before a flow, and left out behind it.

    augment      x → (x, 0)       (samples, …, n) → (samples, …, n + zeros)
    projection   (x, a) → x       (samples, …, n) → (samples, …, keep)

Trajectories of a flow do not cross; with more dimensions they need not. E. Dupont, A. Doucet and
Y. W. Teh, Augmented neural ODEs (2019). Each map is the transpose of the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from pydantic import Field

from occore import (
    Array,
    Controls,
    Dynamics,
    Example,
    InputError,
    Layout,
    Linearization,
    LinearMap,
    array_namespace,
)


@dataclass(frozen=True)
class Augment(Dynamics):
    """Zeros appended along the last axis: features, or channels of pictures."""

    state_shape: tuple[int, ...]
    zeros: Annotated[int, Field(gt=0, description="entries that are appended")]

    controls = Layout({})
    autonomous = True
    affine_in_controls = True

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(…, n + zeros)."""
        return (*self.state_shape[:-1], self.state_shape[-1] + self.zeros)

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """(x, 0)."""
        return extended(x, self.zeros)

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value; the transpose leaves the appended entries out."""
        forward, back = partial(extended, zeros=self.zeros), partial(first, n=x.shape[-1])
        return forward(x), LinearMap(forward, back)

    @classmethod
    def example(cls) -> Example:
        """Two samples with two zeros each."""
        value = [[1.0, 2.0, 0.0, 0.0], [3.0, 4.0, 0.0, 0.0]]
        return Example(cls((2,), 2), x=[[1.0, 2.0], [3.0, 4.0]], u={}, value=value)


@dataclass(frozen=True)
class Projection(Dynamics):
    """The first entries of the last axis."""

    state_shape: tuple[int, ...]
    keep: Annotated[int, Field(gt=0, description="entries that are kept")]

    controls = Layout({})
    autonomous = True
    affine_in_controls = True

    def __post_init__(self) -> None:
        if self.keep > self.state_shape[-1]:
            raise InputError(
                f"keep = {self.keep}, but the state has the shape {self.state_shape}; keep at most "
                f"{self.state_shape[-1]}"
            )

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(…, keep)."""
        return (*self.state_shape[:-1], self.keep)

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """x without its last entries."""
        return first(x, self.keep)

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value; the transpose appends zeros."""
        forward = partial(first, n=self.keep)
        back = partial(extended, zeros=x.shape[-1] - self.keep)
        return forward(x), LinearMap(forward, back)

    @classmethod
    def example(cls) -> Example:
        """One of three entries of each sample."""
        return Example(
            cls((3,), 1), x=[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], u={}, value=[[1.0], [4.0]]
        )


def extended(x: Array, zeros: int) -> Array:
    """x with zeros behind its last entries."""
    xp = array_namespace(x)
    return xp.concat([x, xp.zeros((*x.shape[:-1], zeros), dtype=x.dtype)], axis=-1)


def first(x: Array, n: int) -> Array:
    """The first n entries of the last axis, in an array of its own."""
    return +x[..., :n]
