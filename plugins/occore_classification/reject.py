"""The reject option: a classifier that may say 'I do not know' errs less on what it accepts.

rule          a sample is accepted where this is above a threshold
best          a₁, the largest activity
difference    a₁ − a₂, its distance to the second largest

As the threshold rises, more samples are rejected and fewer of the accepted ones are wrong. The
activities are outputs of a network or probabilities. LeCun et al., Handwritten digit recognition
with a back-propagation network, NIPS 2 (1990), section 5: the rejection rate at which 1 % of the
accepted samples are wrong; there both thresholds are used at once, here each is looked at alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from occore import Array

Rule = Literal["best", "difference"]
SHARES = np.linspace(0, 0.5, 101)
"""Rejected shares at which curves are stored."""


@dataclass(frozen=True)
class RejectCurve:
    """Rejected share and error among the accepted samples, for each threshold that matters."""

    rejected: Array
    error: Array

    def error_at(self, rejected: Array) -> Array:
        """The error where such shares are rejected, by interpolation."""
        return np.interp(rejected, self.rejected, self.error)

    def rejected_at(self, error: float) -> float:
        """The smallest rejected share with at most this error; one where only that helps."""
        return float(self.rejected[self.error <= error][0])


def reject_curve(activities: Array, true: Array, rule: Rule) -> RejectCurve:
    """The curve of activities (samples, classes) and true classes (samples,).

    Samples that the rule cannot tell apart are accepted or rejected together.
    """
    second, best = np.partition(activities, -2, axis=1)[:, -2:].T
    score = best if rule == "best" else best - second
    order = np.argsort(score)
    wrong = np.argmax(activities, axis=1)[order] != true[order]
    count, sorted_score = len(wrong), score[order]
    begins = np.flatnonzero(np.r_[True, sorted_score[1:] > sorted_score[:-1]])
    errors_from = np.cumsum(wrong[::-1])[::-1]
    return RejectCurve(
        np.r_[begins, count] / count, np.r_[errors_from[begins] / (count - begins), 0.0]
    )


def reject_metrics(activities: Array, true: Array) -> dict[str, float | Array]:
    """Both curves at the shares of `SHARES`, and what must be rejected for 1 % of errors."""
    best, difference = (reject_curve(activities, true, rule) for rule in ("best", "difference"))
    return {
        "rejected_at_one_percent_error": difference.rejected_at(0.01),
        "reject_shares": SHARES,
        "reject_error_best": best.error_at(SHARES),
        "reject_error_difference": difference.error_at(SHARES),
    }
