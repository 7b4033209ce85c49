"""How the learning rate falls, by hand."""

import math

import pytest

from occore_single_layer.schedules import decay, ramp


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        ("constant", [1, 1, 1, 1]),
        ("inverse", [1, 1 / 2, 1 / 2.5, 1 / 3]),
        ("step", [1, 1 / 2, 1 / 2, 1 / 4]),
        ("exponential", [1, 1 / 2, 2**-1.5, 1 / 4]),
        ("cosine", [1, (1 + math.sqrt(1 / 2)) / 2, (1 + math.cos(math.pi * 3 / 8)) / 2, 1 / 2]),
    ],
)
def test_factors_after_0_4_6_and_8_epochs(schedule, factors):
    found = [decay(schedule, epoch, half_life=4.0, epochs=16) for epoch in (0, 4, 6, 8)]
    assert found == pytest.approx(factors, rel=1e-15)


def test_the_cosine_stays_at_zero():
    """As for a run that goes on beyond the epochs it was given."""
    assert [decay("cosine", epoch, half_life=1.0, epochs=4) for epoch in (4, 7)] == [0, 0]


def test_a_warm_up_ends_at_one_and_does_not_begin_at_zero():
    found = [ramp(epoch, 0.5, 2.0) for epoch in (0, 0.5, 1, 1.5, 2)]
    assert found == [0.25, 0.5, 0.75, 1, 1]
    assert ramp(0, 0.5, 0.0) == 1
