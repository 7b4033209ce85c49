"""Linear equations with constant coefficients, for the examples of methods that need structure.

dx/dt = E x + I x,    E and I matrices (n, n): the explicit and the implicit or linear part
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from occore import Array, Controls, Dynamics, Layout, Linearization

Rows = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class LinearEquation(Dynamics):
    """(E + I) x of each sample; x (samples, n)."""

    controls: ClassVar[Layout] = Layout({})
    autonomous: ClassVar[bool] = True

    explicit: Rows
    implicit: Rows

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """(E + I) x."""
        return x @ self._matrix.T

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """(E + I) x and its derivative."""
        return x @ self._matrix.T, LinearEquationLinearization(self._matrix)

    def splitting(self) -> tuple[Dynamics, Dynamics]:
        """E x and I x."""
        zero = ((0.0,) * len(self.explicit),) * len(self.explicit)
        return LinearEquation(self.explicit, zero), LinearEquation(zero, self.implicit)

    def linear_part(self) -> Array:
        """I."""
        return np.array(self.implicit)

    @property
    def _matrix(self) -> Array:
        return np.array(self.explicit) + np.array(self.implicit)


@dataclass(frozen=True)
class LinearEquationLinearization(Linearization):
    """dy = (E + I) dx."""

    matrix: Array

    def jvp(self, dx: Array, du: Controls) -> Array:
        """(E + I) dx."""
        return dx @ self.matrix.T

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """(E + I)ᵀ py."""
        return py @ self.matrix, {}

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """None: the map is linear."""
        return 0 * dx, {}


def oscillator() -> LinearEquation:
    """q' = p, p' = −q: all of it explicit."""
    return LinearEquation(((0.0, 1.0), (-1.0, 0.0)), ((0.0, 0.0), (0.0, 0.0)))


def split_decay() -> LinearEquation:
    """x' = −x/2 − x/2: one half explicit, one half implicit."""
    return LinearEquation(((-0.5,),), ((-0.5,),))
