"""Data: their split into a training and a held-out part."""

from dataclasses import replace

import numpy as np
import pytest

from occore import Data, DataError
from occore.data import split

DATA = Data(np.arange(10.0)[:, None], np.arange(10.0)[:, None])


def test_a_fraction_is_held_out(rng):
    train, held_out = split(DATA, 0.3, rng)
    assert held_out is not None
    assert held_out.samples == 3
    both = np.concatenate([train.inputs, held_out.inputs])
    assert np.array_equal(np.sort(both, axis=0), DATA.inputs)
    assert np.all(np.diff(train.inputs[:, 0]) > 0)


def test_nothing_is_held_out(rng):
    assert split(DATA, 0.0, rng)[1] is None


def test_data_may_bring_their_own_held_out_part(rng):
    test = DATA.subset([3, 1])
    train, held_out = split(replace(DATA, held_out=test), 0.0, rng)
    assert held_out is test
    assert train.held_out is None
    assert np.array_equal(train.inputs, DATA.inputs)


def test_data_with_a_held_out_part_are_not_split_further(rng):
    with pytest.raises(DataError, match="bring their own held-out samples; remove held_out"):
        split(replace(DATA, held_out=DATA), 0.3, rng)
