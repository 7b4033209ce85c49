"""AdaGrad against a hand calculation, and against the two errors of the course's slides."""

import math

import numpy as np
import pytest

from occore_single_layer.adagrad import AdaGrad

RATE = 0.5


def test_first_steps(iterates):
    """D = 1, then 1 + 0.5²."""
    found = iterates(AdaGrad(learning_rate=RATE), 2)
    assert found == pytest.approx([0.5, 0.5 - 0.25 / math.sqrt(1.25)], rel=1e-9)


def test_the_slides_would_go_elsewhere(iterates):
    """They accumulate θ² in place of g², or divide by D in place of √D.

    J = ½ w² has g = θ, so the first error would not show; for w = 1 and √1 the second not at once.
    """
    found = iterates(AdaGrad(learning_rate=RATE), 2)
    assert abs(found[1] - (0.5 - 0.25 / 1.25)) > 0.02
    method = AdaGrad(learning_rate=RATE)
    assert scaled_step(method, 3.0) == pytest.approx(RATE, rel=1e-9)  # g/√g², whatever g is
    assert scaled_step(method, 0.01) == pytest.approx(RATE, rel=1e-6)


def scaled_step(method, gradient):
    """How far the first update goes down a gradient, from θ = 7."""
    theta, carried = np.array([7.0]), np.zeros((1, 1))
    method.update(None, theta, carried, np.array([gradient]), RATE, 1)
    assert carried[0, 0] == pytest.approx(gradient**2)
    return 7.0 - theta[0]
