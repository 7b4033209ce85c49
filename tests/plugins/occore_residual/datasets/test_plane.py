"""Points of the plane: where they lie."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore_residual.datasets.ellipses import Ellipses
from occore_residual.datasets.swiss_roll import SwissRoll
from occore_residual.datasets.two_spirals import TwoSpirals


def by_class(dataset, rng):
    data = dataset.load((), rng)
    return [data.inputs[data.targets[:, k] == 1] for k in range(2)]


def test_ellipses(rng):
    """r² = x² + (y/0.4)² is at most 1 inside and between 1 and 4 outside; both are filled."""
    radii = [np.hypot(p[:, 0], p[:, 1] / 0.4) for p in by_class(Ellipses(), rng)]
    for inner, r in enumerate(radii):
        assert inner <= r.min() < inner + 0.02
        assert inner + 0.98 < r.max() <= inner + 1


def test_swiss_roll(rng):
    """Two turns each, at radii [0, 1] and [0.2, 1.2]; the same at every seed."""
    inner, outer = by_class(SwissRoll(), rng)
    assert_allclose(np.linalg.norm(inner, axis=1), np.linspace(0, 1, 256), atol=1e-14)
    assert_allclose(np.linalg.norm(outer, axis=1), np.linspace(0.2, 1.2, 256), rtol=1e-13)
    turned = np.unwrap(np.arctan2(outer[:, 1], outer[:, 0]))
    assert_allclose(turned[-1] - turned[0], 4 * np.pi, rtol=1e-13)


def test_two_spirals(rng):
    """Without noise the angle of a point follows from its radius; the other is turned by π."""
    for half, points in enumerate(by_class(TwoSpirals(samples=400, noise=0.0), rng)):
        r = np.linalg.norm(points, axis=1)
        angle = 3.5 * np.pi * r + half * np.pi
        assert_allclose(
            points, r[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1), atol=1e-14
        )
        assert np.mean(r < np.sqrt(0.5)) == pytest.approx(0.5, abs=0.1)
