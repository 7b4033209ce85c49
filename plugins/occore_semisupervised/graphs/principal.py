"""Coordinates of points along their principal axes, those with the largest spread first."""

from __future__ import annotations

import numpy as np

from occore import Array

FEWEST_POINTS = 8192
"""Of so many points, evenly selected, at least, the axes are found."""


def principal_coordinates(points: Array, axes: int | None = None) -> Array:
    """(n, axes) of points (n, d), float32; along all d axes where not given.

    The axes are orthonormal, so that distances are kept if there are d of them.
    """
    centred = (points - points.mean(axis=0)).astype(np.float32)
    some = centred[:: max(1, len(centred) // FEWEST_POINTS)]
    _, found = np.linalg.eigh((some.T @ some).astype(np.float64))
    return centred @ found[:, ::-1][:, :axes].astype(np.float32)
