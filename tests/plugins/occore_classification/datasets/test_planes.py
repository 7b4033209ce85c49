"""Data sets of the plane."""

import numpy as np
import pytest

from occore import InputError
from occore_classification.datasets.half_plane import HalfPlane
from occore_classification.datasets.peaks5 import Peaks5, levels, peaks, peaks_grid


def test_a_line_cuts_the_cloud(rng):
    data = HalfPlane(samples=500).load((), rng)
    assert data.inputs.shape == (500, 2)
    above = 3 * data.inputs[:, 0] + 2 * data.inputs[:, 1] + 1 > 0
    assert np.array_equal(data.targets[:, 1] == 1, above)
    assert data.classes == ("below", "above")


def test_peaks_at_the_origin():
    """3/e − 0 − 1/(3e), by hand."""
    assert peaks(0.0, 0.0) == pytest.approx(8 / (3 * np.e))


def test_bins_have_equal_height():
    points, p = peaks_grid()
    label = levels(p)
    assert points.shape == (65536, 2)
    assert np.abs(points).max() == 3.0
    edges = np.linspace(p.min(), p.max(), 6)
    for k in range(5):
        inside = p[label == k]
        assert edges[k] - 1e-12 <= inside.min() <= inside.max() <= edges[k + 1] + 1e-12


def test_classes_are_equally_frequent_and_no_point_is_drawn_twice(rng):
    data = Peaks5(samples=8750).load((), rng)
    assert data.targets.sum(axis=0).tolist() == [1750] * 5
    assert len(np.unique(data.inputs, axis=0)) == 8750


def test_too_many_samples_are_refused(rng):
    with pytest.raises(InputError, match="at most 8990"):
        Peaks5(samples=10_000).load((), rng)
