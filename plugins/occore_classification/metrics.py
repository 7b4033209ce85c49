"""What a person would look at of a classification: errors, confusion, calibration.

    error rate, accuracy    share of samples whose likeliest class is wrong, right
    cross-entropy           mean −log of the probability of the true class, in nats
    confusion matrix        samples of the class of the row that are taken for that of the column
    calibration             of the samples with a confidence near q, a share of q should be right
    reject option           errors among the accepted samples, see `occore_classification.reject`
    intersection over union of pixels that are or are taken for a class, the share that are both

The confidence is the probability of the likeliest class. Samples are put into ten bins of equal
width by it; the expected calibration error is Σ_b (n_b/n) |accuracy_b − confidence_b|. Naeini,
Cooper and Hauskrecht, AAAI (2015); Guo, Pleiss, Sun and Weinberger, ICML (2017), equation 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from occore import Array, Data, true_classes
from occore_classification.reject import reject_metrics

BINS = 10


@dataclass(frozen=True)
class Reliability:
    """Mean confidence, accuracy and number of samples of each bin that is not empty."""

    confidence: Array
    accuracy: Array
    samples: Array

    @property
    def expected_calibration_error(self) -> float:
        """Mean distance of accuracy and confidence, weighted by the samples."""
        gap = np.abs(self.accuracy - self.confidence)
        return float(np.sum(self.samples * gap) / np.sum(self.samples))


def classification_metrics(
    probabilities: Array, data: Data, cross_entropy: float
) -> dict[str, float | Array]:
    """The metrics by name, of probabilities (samples, *grid, classes)."""
    rows = probabilities.reshape(-1, probabilities.shape[-1])
    curve = reliability(rows, true_classes(data).ravel())
    return {
        **decision_metrics(probabilities, data),
        "cross_entropy": cross_entropy,
        "expected_calibration_error": curve.expected_calibration_error,
        "reliability_confidence": curve.confidence,
        "reliability_accuracy": curve.accuracy,
        "reliability_samples": curve.samples,
    }


def decision_metrics(activities: Array, data: Data) -> dict[str, float | Array]:
    """Those of them that take no probabilities, of activities (samples, *grid, classes).

    Cells of a grid are counted one by one. They have the intersection over union of each class,
    and no reject option, which is about whole samples.
    """
    classes = activities.shape[-1]
    true, decision = true_classes(data).ravel(), np.argmax(activities, axis=-1).ravel()
    wrong = float(np.mean(decision != true))
    matrix = confusion_matrix(true, decision, classes)
    if activities.ndim > 2:
        more = {"intersection_over_union": intersection_over_union(matrix)}
    else:
        more = reject_metrics(activities, true)
    return {"error_rate": wrong, "accuracy": 1 - wrong, "confusion_matrix": matrix, **more}


def intersection_over_union(matrix: Array) -> Array:
    """Of each class (classes,), from the confusion matrix; 1 for a class that never occurs."""
    both = np.diag(matrix)
    either = matrix.sum(axis=0) + matrix.sum(axis=1) - both
    return np.where(either > 0, both / np.maximum(either, 1), 1.0)


def confusion_matrix(true: Array, decision: Array, classes: int) -> Array:
    """(classes, classes): how many samples of class i (row) are taken for class j (column)."""
    return np.bincount(true * classes + decision, minlength=classes**2).reshape(classes, classes)


def reliability(probabilities: Array, true: Array, bins: int = BINS) -> Reliability:
    """How often the likeliest class is right, by its probability."""
    confidence = np.max(probabilities, axis=1).astype(np.float64)
    right = np.argmax(probabilities, axis=1) == true
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    samples = np.bincount(place, minlength=bins)
    used = samples > 0
    sums = [np.bincount(place, weights, bins)[used] for weights in (confidence, right)]
    return Reliability(sums[0] / samples[used], sums[1] / samples[used], samples[used])
