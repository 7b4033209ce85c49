"""Confusion and calibration of a handful of samples, by hand."""

import numpy as np
from numpy.testing import assert_allclose

from occore import Data
from occore_classification.metrics import (
    classification_metrics,
    intersection_over_union,
    reliability,
)

P = np.array([[0.95, 0.05], [0.91, 0.09], [0.35, 0.65], [0.4, 0.6], [0.25, 0.75]])
TRUE = np.array([0, 1, 1, 0, 1])


def test_confusion_matrix():
    metrics = classification_metrics(P, Data(np.zeros((5, 1)), np.eye(2)[TRUE]), 0.5)
    assert metrics["confusion_matrix"].tolist() == [[1, 1], [1, 2]]
    assert metrics["error_rate"] == 0.4
    assert metrics["accuracy"] == 0.6
    assert metrics["cross_entropy"] == 0.5


def test_pixels_are_counted_one_by_one():
    """Two pictures of 1 × 2 pixels: each pixel counts as a sample does."""
    grid, truth = P[:4].reshape(2, 1, 2, 2), np.eye(2)[TRUE[:4]].reshape(2, 1, 2, 2)
    metrics = classification_metrics(grid, Data(np.zeros((2, 1, 2, 1)), truth), 0.5)
    assert metrics["confusion_matrix"].tolist() == [[1, 1], [1, 1]]
    assert metrics["error_rate"] == 0.5
    assert_allclose(metrics["intersection_over_union"], [1 / 3, 1 / 3])
    assert "reject_shares" not in metrics


def test_intersection_over_union():
    """The second class: 4 pixels right of 4 + 1 + 2; the third never occurs."""
    matrix = np.array([[5, 2, 0], [1, 4, 0], [0, 0, 0]])
    assert_allclose(intersection_over_union(matrix), [5 / 8, 4 / 7, 1.0])


def test_reliability():
    """Bins [0.6, 0.7): 0.65 right, 0.6 wrong; [0.7, 0.8): 0.75 right; [0.9, 1]: one of two."""
    curve = reliability(P, TRUE)
    assert_allclose(curve.confidence, [0.625, 0.75, 0.93])
    assert_allclose(curve.accuracy, [0.5, 1.0, 0.5])
    assert curve.samples.tolist() == [2, 1, 2]
    expected = (2 * 0.125 + 1 * 0.25 + 2 * 0.43) / 5
    assert_allclose(curve.expected_calibration_error, expected)


def test_certainty_is_in_the_last_bin():
    curve = reliability(np.array([[1.0, 0.0]]), np.array([0]))
    assert curve.samples.tolist() == [1]
    assert curve.expected_calibration_error == 0.0


def test_honest_probabilities_are_calibrated(rng):
    """Labels drawn with the probabilities: the error is noise, 1/√(samples of a bin)."""
    p = rng.uniform(size=20_000)
    true = (rng.uniform(size=p.size) < p).astype(int)
    curve = reliability(np.stack([1 - p, p], axis=1), true)
    assert curve.expected_calibration_error < 0.02
    overconfident = np.where(p > 0.5, 0.99, 0.01)
    assert (
        reliability(
            np.stack([1 - overconfident, overconfident], 1), true
        ).expected_calibration_error
        > 0.2
    )
