"""What a person would look at of a classification: errors, confusion, calibration.

    error rate, accuracy    share of samples whose likeliest class is wrong, right
    cross-entropy           mean −log of the probability of the true class, in nats
    confusion matrix        samples of the class of the row that are taken for that of the column
    calibration             of the samples with a confidence near q, a share of q should be right

The confidence is the probability of the likeliest class. Samples are put into ten bins of equal
width by it; the expected calibration error is Σ_b (n_b/n) |accuracy_b − confidence_b|. Naeini,
Cooper and Hauskrecht, AAAI (2015); Guo, Pleiss, Sun and Weinberger, ICML (2017), equation 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from occore import Array, Data, true_classes

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
    """The metrics by name, of probabilities (samples, classes)."""
    true, decision = true_classes(data), np.argmax(probabilities, axis=1)
    wrong = float(np.mean(decision != true))
    curve = reliability(probabilities, true)
    return {
        "error_rate": wrong,
        "accuracy": 1 - wrong,
        "cross_entropy": cross_entropy,
        "confusion_matrix": confusion_matrix(true, decision, probabilities.shape[1]),
        "expected_calibration_error": curve.expected_calibration_error,
        "reliability_confidence": curve.confidence,
        "reliability_accuracy": curve.accuracy,
        "reliability_samples": curve.samples,
    }


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
