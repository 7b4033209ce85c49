"""Softmax cross-entropy: the negative log-likelihood of the classes, for any number of them.

Φ(x; c) = s Σ_i Σ_k c_ik (log Σ_j exp(x_ij) − x_ik),
s = 1 for the sum over the rows i, 1/rows for their mean

A row is a sample or, where states have a grid, a cell of a sample: the pixels of a picture are then
classified one by one, which is segmentation.

    ∂Φ/∂x_i = s (ω_i p_i − c_i),    ∂²Φ/∂x_i² = s ω_i (diag(p_i) − p_i p_iᵀ),    p = softmax(x)

symbol   code       shape                        meaning
x        x          (samples, *grid, classes)    end states: log-probabilities, up to a constant
c        target     (samples, *grid, classes)    one-hot rows or probabilities, maybe times a weight
ω        weight     (samples, *grid, 1)          Σ_k c_k: the weight of a row, 1 for one-hot rows
m        shift      (samples, *grid, 1)          the largest entry of each row, any number in theory
p        p          (samples, *grid, classes)    probabilities

log Σ exp(x) = m + log Σ exp(x − m) holds for every m, so that Φ does not depend on m; with the
largest entry nothing overflows. Murphy, Machine Learning: a Probabilistic Perspective (2012),
sections 3.5.3 and 8.3.7.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

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

Reduction = Annotated[
    Literal["sum", "mean"], Field(description="whether samples (and cells) are summed or averaged")
]


def shifted_exponentials(x: Array, shift: Array) -> tuple[Array, Array, Array]:
    """exp(x − m), its sums over rows, and log Σ exp(x), which does not depend on the shift m.

    x: (…, classes). shift: (…, 1); with the largest entry of each row all are finite.
    """
    xp = array_namespace(x)
    e = xp.exp(x - shift)
    total = xp.sum(e, axis=-1, keepdims=True)
    return e, total, shift + xp.log(total)


def row_maximum(x: Array) -> Array:
    """The largest entry of each row, (…, 1)."""
    return array_namespace(x).max(x, axis=-1, keepdims=True)


def softmax(x: Array) -> Array:
    """exp(x_k) / Σ_j exp(x_j) of each row of x (…, classes)."""
    e, total, _ = shifted_exponentials(x, row_maximum(x))
    return e / total


def row_scale(reduction: str, x: Array) -> float:
    """s: 1 for the sum over the rows of x (…, classes), 1/rows for their mean."""
    return 1.0 if reduction == "sum" else 1 / math.prod(x.shape[:-1])


@dataclass(frozen=True)
class SoftmaxCrossEntropy(TerminalObjective):
    """−Σ c log softmax(x), summed over the rows or averaged; convex in x."""

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
        e, total, log_total = shifted_exponentials(x, row_maximum(x))
        # no term is negative, so nothing cancels, however large x is
        value = scale * xp.sum(target * (log_total - x))
        return value, SoftmaxLinearization(e / total, target, scale)

    def encode_targets(self, data: Data) -> Data:
        """The data themselves. Raises InputError where the targets do not weigh classes."""
        targets = data.targets
        if targets.ndim < 2 or targets.shape[-1] < 2 or np.any(targets < 0):
            raise InputError(
                "softmax_cross_entropy takes a row of weights of two or more classes for each "
                "sample or pixel, such as one-hot rows; these targets have the shape "
                f"{targets.shape}"
                f"{' and negative entries' if np.any(targets < 0) else ''}. For labels 0 and 1 in "
                "one column take logistic, for numbers least_squares"
            )
        return data

    def decide(self, x: Array) -> Array:
        """The class of the largest entry."""
        return np.argmax(x, axis=-1)

    def metrics(self, x: Array, data: Data) -> dict[str, float | Array]:
        """Those of `classification_metrics`."""
        entropy = float(SoftmaxCrossEntropy("mean")(x, data.targets))
        return classification_metrics(softmax(x), data, entropy)

    @classmethod
    def example(cls) -> Example:
        """Odds 1 : 3 and 1 : 1 of the right class, by hand: (log 4 + log 2)/2."""
        return Example(
            cls(),
            x=[[0.0, 1.0986122886681098], [0.6931471805599453, 0.6931471805599453]],
            target=[[1.0, 0.0], [0.0, 1.0]],
            value=1.0397207708399179,
        )


@dataclass(frozen=True)
class SoftmaxLinearization(ObjectiveLinearization):
    """Gradient s (ω p − c), Hessian s ω (diag(p) − p pᵀ), which is positive semidefinite."""

    p: Array
    target: Array
    scale: float

    @property
    def weight(self) -> Array:
        """ω, (…, 1)."""
        return array_namespace(self.p).sum(self.target, axis=-1, keepdims=True)

    def gradient(self) -> Array:
        """s (ω p − c)."""
        return self.scale * (self.weight * self.p - self.target)

    def hessian_product(self, d: Array) -> Array:
        """s ω (p d − p (pᵀ d))."""
        pd = self.p * d
        total = array_namespace(pd).sum(pd, axis=-1, keepdims=True)
        return self.scale * self.weight * (pd - self.p * total)

    def gauss_newton_product(self, d: Array) -> Array:
        """All of the Hessian."""
        return self.hessian_product(d)
