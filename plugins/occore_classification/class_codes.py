"""Least squares to codes of the classes: one output for each, which should be 1 or else −1.

Φ(x; c) = ½ s² ‖x − (2c − 1)‖²,    s² = 1 for the sum over the samples, 1/samples for their mean

symbol   code       shape                 meaning
x        x          (samples, classes)    end states, such as activities of saturating units
c        −          (samples, classes)    one-hot rows of the data
2c − 1   target     (samples, classes)    codes, ±1: what `encode_targets` makes of c

It is `least_squares` with these targets, and decides for the class of the largest output. LeCun et
al., Handwritten digit recognition with a back-propagation network, NIPS 2 (1990), section 4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from occore import Array, Data, Example, InputError, ObjectiveLinearization, TerminalObjective
from occore_classification.metrics import decision_metrics
from occore_classification.softmax_cross_entropy import Reduction
from occore_least_squares.least_squares import LeastSquares


@dataclass(frozen=True)
class ClassCodes(TerminalObjective):
    """½‖x − codes‖², summed over the samples or averaged."""

    sum_of_squares: ClassVar[bool] = True
    affine_residual: ClassVar[bool] = True

    reduction: Reduction = "mean"

    @property
    def averages(self) -> bool:
        """As `reduction` says."""
        return self.reduction == "mean"

    @property
    def squares(self) -> LeastSquares:
        """Φ, of targets that are codes."""
        return LeastSquares(self.reduction)

    def residual_scale(self, samples: int) -> float:
        """s: 1 for the sum, 1/√samples for the mean."""
        return self.squares.residual_scale(samples)

    def __call__(self, x: Array, target: Array) -> Array:
        """Φ."""
        return self.squares(x, target)

    def linearize(self, x: Array, target: Array) -> tuple[Array, ObjectiveLinearization]:
        """Φ and its derivatives."""
        return self.squares.linearize(x, target)

    def encode_targets(self, data: Data) -> Data:
        """One-hot rows c as codes 2c − 1. Raises InputError for data without classes."""
        if data.classes is None or data.targets.ndim != 2:
            raise InputError(
                "class_codes takes the class of each sample, and the data have targets of the "
                f"shape {data.targets.shape} {'and no' if data.classes is None else 'with'} "
                "classes; for numbers take least_squares"
            )
        return replace(data, targets=2 * data.targets - 1)

    def decide(self, x: Array) -> Array:
        """The class of the largest output."""
        return np.argmax(x, axis=1)

    def metrics(self, x: Array, data: Data) -> dict[str, float | Array]:
        """Those of `decision_metrics`, and the root mean square error of an output."""
        rmse = float(np.sqrt(np.mean((x - data.targets) ** 2)))
        return {**decision_metrics(x, data), "rmse": rmse}

    @classmethod
    def example(cls) -> Example:
        """Outputs (0.5, −1) for the first class, (1, 0.5) for the second, by hand: 4.5/4."""
        return Example(
            cls(),
            x=[[0.5, -1.0], [1.0, 0.5]],
            target=[[1.0, -1.0], [-1.0, 1.0]],
            value=(0.25 + 4.0 + 0.25) / 4,
        )
