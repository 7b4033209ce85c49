"""Classified points of a plane, class by class, from what a generator draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from occore import Array, Data
from occore_least_squares.datasets.content import array_digest
from occore_least_squares.datasets.supervised import one_hot_rows


def classified(points: Sequence[Array], names: tuple[str, ...]) -> Data:
    """Inputs (samples, 2) and one-hot targets of one array (n, 2) for each class."""
    inputs = np.concatenate(points)
    label = np.repeat(np.arange(len(points)), [len(each) for each in points])
    targets = one_hot_rows(label, len(points))
    return Data(inputs, targets, names, ("x", "y"), array_digest(inputs, targets))
