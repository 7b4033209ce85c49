"""Random weights of a layer at the start, scaled by its numbers of inputs and outputs.

name       weights                               source
zero       0
standard   U(−1, 1)/√n_in                        Glorot and Bengio (2010), eq. 1
glorot     U(−1, 1) · √6/√(n_in + n_out)         the same, eq. 16
he         N(0, 2/n_in)                          He et al. (2015), Delving deep, eq. 10
uniform    U(−1, 1)                              to be scaled by whoever asks for it
normal     N(0, 1)                               the same

n_in and n_out count the entries that one output depends on, and those that one input acts on: of a
convolution, the entries of a stencil times the channels.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from occore.arrays import Array

Initialisation = Literal["zero", "standard", "glorot", "he", "uniform", "normal"]
"""The type of an option that names an initialiser."""


def initial_weights(
    name: Initialisation,
    shape: tuple[int, ...],
    n_in: int,
    n_out: int,
    rng: np.random.Generator,
) -> Array:
    """Weights of this shape, drawn from `rng`."""
    if name == "zero":
        return np.zeros(shape)
    if name == "he":
        return math.sqrt(2 / n_in) * rng.standard_normal(shape)
    if name == "normal":
        return rng.standard_normal(shape)
    bounds = {"standard": 1 / math.sqrt(n_in), "glorot": math.sqrt(6 / (n_in + n_out))}
    bound = bounds.get(name, 1.0)
    return rng.uniform(-bound, bound, shape)
