"""Activation functions σ with their first and second derivatives, entry by entry.

name          σ(s)                       σ'(s)                    σ''(s)
identity      s                          1                        0
tanh          tanh s                     1 − σ²                   −2 σ σ'
logistic      1/(1 + e^(−s))             σ (1 − σ)                (1 − 2σ) σ'
relu          max(s, 0)                  1 where s > 0, else 0    0
sin           sin s                      cos s                    −sin s
softsign      s/(1 + |s|)                1/(1 + |s|)²             −2 sign(s)/(1 + |s|)³
scaled_tanh   1.7159 tanh(2s/3)          (2/3)(A − σ²/A)          −(4/3) σ σ'/A,  A = 1.7159

Derivatives that are polynomials of σ cost no second evaluation of it. relu has no derivative at 0,
where σ' = 0 is used. scaled_tanh: LeCun, Generalization and network design strategies (1989), p. 8.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from occore.arrays import Array, array_namespace

ActivationName = Literal["identity", "tanh", "logistic", "relu", "sin", "softsign", "scaled_tanh"]
"""The type of an option that names an activation."""

AMPLITUDE, RATE = 1.7159, 2.0 / 3.0


@dataclass(frozen=True)
class Activation:
    """σ and its derivatives. `slope` and `bend` take the argument s and the value σ(s)."""

    value: Callable[[Array], Array]
    slope: Callable[[Array, Array], Array]
    """σ'(s), from s and σ(s)."""
    bend: Callable[[Array, Array], Array]
    """σ''(s), from s and σ(s)."""
    steepest: float | None = 1.0
    """max σ', of a σ that never decreases; None for others."""
    smooth: bool = True
    """Whether σ has two continuous derivatives."""
    slope_of_value: Literal["step"] | tuple[float, float, float] | None = None
    """σ'(s) as a function of y = σ(s), for compiled loops: one where y > 0, else zero; or the
    coefficients of 1, y, y². Where there is one, y may stand for s in `slope` and `bend`."""

    def __call__(self, s: Array) -> Array:
        """σ(s)."""
        return self.value(s)


def _tanh(s: Array) -> Array:
    return array_namespace(s).tanh(s)


def _logistic(s: Array) -> Array:
    # by tanh, which neither overflows nor cancels for arguments of either sign
    return 0.5 + 0.5 * array_namespace(s).tanh(0.5 * s)


def _relu(s: Array) -> Array:
    if _is_real_numpy(s):
        return np.maximum(s, 0)
    return array_namespace(s).where(s > 0, s, 0 * s)


def _step(s: Array, y: Array) -> Array:
    if _is_real_numpy(s):
        return (s > 0).astype(s.dtype)
    return array_namespace(s).where(s > 0, 0 * s + 1, 0 * s)


def _is_real_numpy(s: Array) -> bool:
    """Whether one pass over the entries does, in place of three."""
    return isinstance(s, np.ndarray) and np.isrealobj(s)


def _softsign_scale(s: Array) -> Array:
    return 1 / (1 + array_namespace(s).abs(s))


ACTIVATIONS: dict[str, Activation] = {
    "identity": Activation(
        lambda s: s, lambda s, y: 0 * s + 1, lambda s, y: 0 * s, slope_of_value=(1, 0, 0)
    ),
    "tanh": Activation(
        _tanh,
        lambda s, y: 1 - y * y,
        lambda s, y: -2 * y * (1 - y * y),
        slope_of_value=(1, 0, -1),
    ),
    "logistic": Activation(
        _logistic,
        lambda s, y: y * (1 - y),
        lambda s, y: (1 - 2 * y) * y * (1 - y),
        0.25,
        slope_of_value=(0, 1, -1),
    ),
    "relu": Activation(_relu, _step, lambda s, y: 0 * s, smooth=False, slope_of_value="step"),
    "sin": Activation(
        lambda s: array_namespace(s).sin(s),
        lambda s, y: array_namespace(s).cos(s),
        lambda s, y: -y,
        None,
    ),
    "softsign": Activation(
        lambda s: s * _softsign_scale(s),
        lambda s, y: _softsign_scale(s) ** 2,
        lambda s, y: -2 * array_namespace(s).sign(s) * _softsign_scale(s) ** 3,
        smooth=False,
    ),
    "scaled_tanh": Activation(
        lambda s: AMPLITUDE * array_namespace(s).tanh(RATE * s),
        lambda s, y: RATE * (AMPLITUDE - y * y / AMPLITUDE),
        lambda s, y: -2 * RATE**2 * y * (1 - y * y / AMPLITUDE**2),
        RATE * AMPLITUDE,
        slope_of_value=(RATE * AMPLITUDE, 0, -RATE / AMPLITUDE),
    ),
}
"""By name; the names are those of `ActivationName`."""

assert set(ACTIVATIONS) == set(get_args(ActivationName))  # noqa: S101


def activation(name: ActivationName) -> Activation:
    """The activation of this name."""
    return ACTIVATIONS[name]
