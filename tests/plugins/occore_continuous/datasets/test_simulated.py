"""Simulated trajectories against closed forms."""

import numpy as np
import pytest

from occore import DataError
from occore_continuous.datasets.simulated import Simulated

DECAY = Simulated(("x",), {"x": "-k*x"}, (2.0,), 3.0, 6, parameters={"k": 0.5})


def load(data, seed=0):
    return data.load((), np.random.default_rng(seed))


def test_the_values_are_those_of_the_solution():
    data = load(DECAY)
    assert np.allclose(data.times, np.arange(7) / 2)
    assert np.allclose(data.targets[0, :, 0], 2 * np.exp(-data.times / 2), rtol=1e-9)


def test_irregular_trajectories_begin_along_the_first():
    from dataclasses import replace

    data = load(replace(DECAY, trajectories=4, spread=2.0, irregular=True))
    assert data.targets.shape == (4, 1 + 4 * 6, 1)
    assert np.all(np.sum(~np.isnan(data.targets), axis=(1, 2)) == 7)
    assert data.inputs[0] == 2.0
    assert np.all(data.inputs >= 2 * np.exp(-1))
    expected = data.inputs[:, None] * np.exp(-data.times / 2)[None, :, None]
    seen = ~np.isnan(data.targets)
    assert np.allclose(data.targets[seen], expected[seen], rtol=1e-8)


def test_a_solution_that_blows_up_is_refused():
    with pytest.raises(DataError, match="ends before the time 2"):
        load(Simulated(("x",), {"x": "x**2"}, (1.0,), 2.0, 4))
