"""Constant controls: u(s) = c."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

from occore import Array, ControlSpace, Example


@dataclass(frozen=True)
class Constant(ControlSpace):
    """One value for the whole phase: parameters of an ODE, or weights shared by all layers."""

    def size(self, steps: int) -> int:
        """One coefficient."""
        return 1

    def basis(self, steps: int, times: Array, inside: Array) -> Any:
        """A column of ones."""
        return scipy.sparse.csr_array(np.ones((len(times), 1)))

    def derivative_basis(self, steps: int, times: Array, inside: Array, order: int) -> Any:
        """A column of zeros."""
        return scipy.sparse.csr_array((len(times), 1))

    def nodes(self, steps: int) -> Array:
        """The start of the phase."""
        return np.zeros(1)

    @classmethod
    def example(cls) -> Example:
        """A constant is itself at every time."""
        return Example(cls(), steps=3, times=[0.1, 0.9], u={"c": [2.5]}, value={"c": [2.5, 2.5]})
