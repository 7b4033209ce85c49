"""Adam's first updates against a hand calculation."""

import math

import pytest

from occore_single_layer.adam import Adam


def test_first_steps(iterates):
    """g = 1: m = 0.1, v = 0.001, both one after correction. g = 0.9: m = 0.18, v = 0.001809."""
    found = iterates(Adam(learning_rate=0.1, epsilon=1e-300), 2)
    second = 0.1 * (0.18 / 0.19) / math.sqrt(0.001809 / 0.001999)
    assert found == pytest.approx([0.9, 0.9 - second], rel=1e-12)


def test_epsilon_is_added_to_the_corrected_root(iterates):
    assert iterates(Adam(learning_rate=0.1, epsilon=0.25), 1)[0] == pytest.approx(1 - 0.1 / 1.25)


def test_decay_is_apart_from_the_gradient(iterates):
    """1 − 0.1 · 1 − 0.1 · 0.2 · 1: as part of the gradient it would vanish in the quotient."""
    found = iterates(Adam(learning_rate=0.1, weight_decay=0.2, epsilon=1e-300), 1)
    assert found == pytest.approx([0.88], rel=1e-12)
