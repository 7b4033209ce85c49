"""Step-size schedules: how the learning rate η falls over the epochs τ.

    constant      η                        step          η 2^(−⌊τ/h⌋)
    inverse       η / (1 + τ/h)            exponential   η 2^(−τ/h)
    cosine        η (1 + cos(π τ/T)) / 2

symbol   code       meaning
τ        epoch      epochs so far, with the share of the present one
h        half_life  epochs after which the rate is halved (of `inverse` the first time)
T        epochs     epochs in all

The inverse one is that of Robbins and Monro, Ann. Math. Statist. 22 (1951), 400–407: Σ η = ∞ and
Σ η² < ∞. Cosine: Loshchilov and Hutter, SGDR, ICLR (2017), equation 5, without restarts. A warm-up
multiplies each of them by a ramp from 0 to 1 over the first epochs: Goyal et al., Accurate, Large
Minibatch SGD (2017), section 2.2.
"""

from __future__ import annotations

import math
from typing import Literal

ScheduleName = Literal["constant", "inverse", "step", "exponential", "cosine"]


def decay(schedule: ScheduleName, epoch: float, *, half_life: float, epochs: float) -> float:
    """The factor of the learning rate at this time, between 0 and 1."""
    if schedule == "inverse":
        return 1 / (1 + epoch / half_life)
    if schedule == "step":
        return 2.0 ** -(epoch // half_life)
    if schedule == "exponential":
        return 2.0 ** (-epoch / half_life)
    if schedule == "cosine":
        return (1 + math.cos(math.pi * min(1.0, epoch / epochs))) / 2
    return 1.0


def ramp(epoch: float, length: float, warm_up: float) -> float:
    """The factor of a warm-up over `warm_up` epochs, for a step that is `length` of an epoch."""
    return min(1.0, (epoch + length) / warm_up) if warm_up > 0 else 1.0
