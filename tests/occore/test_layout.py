"""The correspondence between named arrays and the flat vector."""

import numpy as np
import pytest

from occore.layout import Layout

LAYOUT = Layout({"W": (2, 3), "b": (2,), "s": ()})


def test_round_trip(rng):
    theta = rng.standard_normal(LAYOUT.size)
    assert LAYOUT.size == 9
    assert np.array_equal(LAYOUT.flatten(LAYOUT.unflatten(theta)), theta)


def test_unflatten_gives_views(rng):
    theta = rng.standard_normal(LAYOUT.size)
    LAYOUT.unflatten(theta)["b"][0] = 7.0
    assert theta[6] == 7.0


def test_stacked_prefixed_and_sum():
    stacked = LAYOUT.stacked(4)
    assert stacked.shapes == {"W": (4, 2, 3), "b": (4, 2), "s": (4,)}
    both = LAYOUT.prefixed("a") + LAYOUT.prefixed("b")
    assert list(both) == ["a/W", "a/b", "a/s", "b/W", "b/b", "b/s"]
    with pytest.raises(ValueError, match="share the names"):
        both + LAYOUT.prefixed("a")


def test_the_empty_layout():
    assert Layout({}).size == 0
    assert Layout({}).flatten({}).shape == (0,)
    assert Layout({}).unflatten(np.zeros(0)) == {}
