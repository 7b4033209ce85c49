"""Logistic loss: the negative log-likelihood of two classes, with one output a sample.

Φ(x; c) = s Σ_i [ log(1 + exp(x_i)) − c_i x_i ],
s = 1 for the sum over the samples, 1/samples for their mean

    ∂Φ/∂x_i = s (p_i − c_i),    ∂²Φ/∂x_i² = s p_i (1 − p_i),    p = 1/(1 + exp(−x))

symbol   code      shape           meaning
x        x         (samples, 1)    end states: the logarithm of the odds of the second class
c        target    (samples, 1)    0 for the first class, 1 for the second; or a probability
p        p         (samples, 1)    probability of the second class

Hastie, Tibshirani and Friedman, The Elements of Statistical Learning (2009), equation 4.20. It is
the softmax cross-entropy of the two outputs 0 and x.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from occore import (
    Array,
    Data,
    Example,
    InputError,
    ObjectiveLinearization,
    TerminalObjective,
    array_namespace,
)
from occore_classification.metrics import classification_metrics
from occore_classification.softmax_cross_entropy import Reduction, row_scale


def sigmoid(x: Array) -> Array:
    """1/(1 + exp(−x)); finite and accurate for every x."""
    xp = array_namespace(x)
    e = _decaying_exponential(x)
    return xp.where(x > 0, 1 / (1 + e), e / (1 + e))


def _decaying_exponential(x: Array) -> Array:
    """exp(−|x|) ≤ 1; for complex x with a derivative."""
    xp = array_namespace(x)
    return xp.exp(xp.where(x > 0, -x, x))


@dataclass(frozen=True)
class Logistic(TerminalObjective):
    """log(1 + exp(x)) − c x, summed over the samples or averaged; convex in x."""

    reduction: Reduction = "mean"

    @property
    def averages(self) -> bool:
        """As `reduction` says."""
        return self.reduction == "mean"

    def __call__(self, x: Array, target: Array) -> Array:
        """Φ."""
        return self.linearize(x, target)[0]

    def linearize(self, x: Array, target: Array) -> tuple[Array, ObjectiveLinearization]:
        """Φ, and its derivatives from the probabilities."""
        xp, scale = array_namespace(x), row_scale(self.reduction, x)
        linear = xp.where(x > 0, (1 - target) * x, -target * x)  # max(0, x) − c x, which is ≥ 0
        value = scale * xp.sum(linear + xp.log1p(_decaying_exponential(x)))
        return value, LogisticLinearization(sigmoid(x), target, scale)

    def encode_targets(self, data: Data) -> Data:
        """Two one-hot columns as the second one. Raises InputError for other targets."""
        targets = data.targets
        if targets.ndim == 2 and targets.shape[1] == 2 and data.classes is not None:
            return replace(data, targets=targets[:, 1:])
        inside = bool(np.all((targets >= 0) & (targets <= 1)))
        if targets.ndim != 2 or targets.shape[1] != 1 or not inside:
            raise InputError(
                "logistic takes two classes, or one column of labels 0 and 1; these targets have "
                f"the shape {targets.shape}{'' if inside else ' and entries outside [0, 1]'}. For "
                "more classes take softmax_cross_entropy, for numbers least_squares"
            )
        return replace(data, classes=data.classes or ("0", "1"))

    def decide(self, x: Array) -> Array:
        """The second class where its odds are above one."""
        return (x[:, 0] > 0).astype(np.int64)

    def metrics(self, x: Array, data: Data) -> dict[str, float | Array]:
        """Those of `classification_metrics`."""
        p = sigmoid(x)
        entropy = float(Logistic("mean")(x, data.targets))
        return classification_metrics(np.concatenate([1 - p, p], axis=1), data, entropy)

    @classmethod
    def example(cls) -> Example:
        """Odds 3 for and 1/2 against the class that is true, by hand: (log 4/3 + log 3/2)/2."""
        return Example(
            cls(),
            x=[[1.0986122886681098], [-0.6931471805599453]],
            target=[[1.0], [0.0]],
            value=0.34657359027997264,
        )


@dataclass(frozen=True)
class LogisticLinearization(ObjectiveLinearization):
    """Gradient s (p − c), Hessian s p (1 − p)."""

    p: Array
    target: Array
    scale: float

    def gradient(self) -> Array:
        """s (p − c)."""
        return self.scale * (self.p - self.target)

    def hessian_product(self, d: Array) -> Array:
        """s p (1 − p) d."""
        return self.scale * self.p * (1 - self.p) * d

    def gauss_newton_product(self, d: Array) -> Array:
        """All of the Hessian."""
        return self.hessian_product(d)
