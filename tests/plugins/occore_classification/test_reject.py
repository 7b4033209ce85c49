"""The reject option of a handful of samples, by hand, and against all thresholds."""

import numpy as np
from numpy.testing import assert_allclose

from occore_classification.reject import SHARES, reject_curve, reject_metrics

A = np.array([[0.9, 0.1, 0.0], [0.5, 0.4, 0.0], [0.8, 0.7, 0.0], [-0.2, 0.3, -1.0]])
TRUE = np.array([0, 1, 1, 1])


def test_by_the_best():
    """In the order 0.3 right, 0.5 wrong, 0.8 wrong, 0.9 right."""
    curve = reject_curve(A, TRUE, "best")
    assert_allclose(curve.rejected, [0, 0.25, 0.5, 0.75, 1])
    assert_allclose(curve.error, [1 / 2, 2 / 3, 1 / 2, 0, 0])
    assert curve.rejected_at(0.5) == 0.0
    assert curve.rejected_at(0.01) == 0.75


def test_by_the_difference():
    """The two wrong ones have differences of 0.1, the right ones 0.5 and 0.8."""
    curve = reject_curve(A, TRUE, "difference")
    assert curve.rejected_at(0.01) == 0.5
    assert curve.error_at(np.array([0.6, 0.9])).tolist() == [0.0, 0.0]


def test_what_cannot_be_told_apart_stays_together():
    curve = reject_curve(
        np.array([[1.0, 0.0], [1.0, 0.0], [3.0, 0.0]]), np.array([0, 1, 0]), "best"
    )
    assert_allclose(curve.rejected, [0, 2 / 3, 1])
    assert_allclose(curve.error, [1 / 3, 0, 0])


def test_errors_that_no_threshold_removes():
    curve = reject_curve(np.array([[1.0, 0.0], [2.0, 0.0]]), np.array([1, 1]), "best")
    assert curve.rejected_at(0.01) == 1.0


def test_every_threshold(rng):
    """The curve against counting again for each threshold, and its values in the metrics."""
    activities, true = rng.standard_normal((60, 4)), rng.integers(4, size=60)
    second, best = np.sort(activities, axis=1)[:, -2:].T
    wrong = activities.argmax(axis=1) != true
    metrics = reject_metrics(activities, true)
    for rule, score in (("best", best), ("difference", best - second)):
        curve = reject_curve(activities, true, rule)
        accepted = [score >= threshold for threshold in np.sort(score)]
        assert_allclose(curve.rejected, [*(1 - a.mean() for a in accepted), 1.0])
        assert_allclose(curve.error, [*(wrong[a].mean() for a in accepted), 0.0])
        assert_allclose(
            metrics[f"reject_error_{rule}"], np.interp(SHARES, curve.rejected, curve.error)
        )
    assert metrics["rejected_at_one_percent_error"] == reject_curve(
        activities, true, "difference"
    ).rejected_at(0.01)
