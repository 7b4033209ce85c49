"""What a run keeps of its data for figures: a few samples, and a lattice over all of them.

A run file is looked at without its data, so what a figure needs of them is stored in it.
"""

from __future__ import annotations

import numpy as np

from occore.arrays import Array
from occore.data import Data

LATTICE = 160
"""Points of a lattice on each side."""

MOST_SAMPLES = 1000
"""Samples of each part that are drawn."""

MARGIN = 0.05
"""Of the extent of the samples, around them."""


def axes_of(data: Data) -> Array:
    """LATTICE coordinates of each input over the samples and a margin, (inputs, LATTICE)."""
    low, high = data.inputs.min(axis=0), data.inputs.max(axis=0)
    room = MARGIN * (high - low)
    return np.linspace(low - room, high + room, LATTICE, dtype=data.inputs.dtype).T


def thinned(data: Data) -> Data:
    """Every k-th sample, so that at most MOST_SAMPLES are left."""
    return data.subset(np.arange(0, data.samples, -(-data.samples // MOST_SAMPLES)))
