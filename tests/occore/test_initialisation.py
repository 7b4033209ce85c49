"""Initial weights have the distribution that the papers print."""

import math

import numpy as np
import pytest

from occore.initialisation import initial_weights


@pytest.mark.parametrize(
    ("name", "deviation", "bound"),
    [
        ("standard", 1 / math.sqrt(3 * 300), 1 / math.sqrt(300)),
        ("glorot", math.sqrt(2 / 500), math.sqrt(6 / 500)),
        ("he", math.sqrt(2 / 300), math.inf),
        ("uniform", 1 / math.sqrt(3), 1),
        ("normal", 1, math.inf),
    ],
)
def test_deviation_and_bound(name, deviation, bound):
    weights = initial_weights(name, (200, 300), 300, 200, np.random.default_rng(1))
    assert weights.shape == (200, 300)
    assert weights.std() == pytest.approx(deviation, rel=0.01)
    assert abs(weights.mean()) < 0.02 * deviation
    assert np.abs(weights).max() <= bound


def test_zero_is_zero():
    assert not initial_weights("zero", (2, 3), 3, 2, np.random.default_rng(1)).any()
