"""Differences in units of the last place are exact."""

import numpy as np
import pytest

from occore import rounding


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_neighbours_are_mended_exactly(rng, dtype):
    exact = (rng.standard_normal(1000) * 10.0 ** rng.integers(-30, 30, 1000)).astype(dtype)
    near = exact.copy()
    for _ in range(5):
        direction = rng.choice([-np.inf, np.inf], 1000).astype(dtype)
        near = np.nextafter(near, direction)
    (correction,) = rounding.difference((near,), (exact,))
    assert correction.dtype == np.int8
    (mended,) = rounding.apply((near,), (correction,))
    assert mended.dtype == dtype
    assert mended.tobytes() == exact.tobytes()


def test_zeros_signs_and_subnormals():
    tiny = np.nextafter(0.0, 1.0)
    near = np.array([0.0, -0.0, tiny, -tiny, 1.0])
    exact = np.array([-0.0, 0.0, -tiny, tiny, np.nextafter(1.0, 2.0)])
    (correction,) = rounding.difference((near,), (exact,))
    assert correction.dtype == np.int8
    assert rounding.apply((near,), (correction,))[0].tobytes() == exact.tobytes()


def test_what_is_far_is_stored_whole():
    near, exact = np.array([1.0, 2.0]), np.array([1.0, -3e300])
    (correction,) = rounding.difference((near,), (exact,))
    assert correction.dtype == np.float64
    assert np.array_equal(rounding.apply((near,), (correction,))[0], exact)
