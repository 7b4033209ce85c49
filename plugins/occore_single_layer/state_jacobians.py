"""∂(output)/∂(input) of a layer, a phase or a field, sample by sample, as matrices."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from occore import Array, Controls, Linearization


def state_jacobians(
    linearize: Callable[[Array], tuple[Array, Linearization]], x: Array, u: Controls
) -> Array:
    """(samples, outputs, n) at states x (samples, *state_shape) of n entries, with controls u.

    linearize: from states to value and derivative. Each unit vector is a sample of its own, so that
    one tangent of n copies of each sample gives all columns.
    """
    samples, n = x.shape[0], math.prod(x.shape[1:])
    _, part = linearize(np.repeat(x, n, axis=0))
    units = np.tile(np.eye(n, dtype=x.dtype), (samples, 1)).reshape(samples * n, *x.shape[1:])
    still = {name: np.zeros_like(value) for name, value in u.items()}
    return np.swapaxes(part.jvp(units, still).reshape(samples, n, -1), 1, 2)
