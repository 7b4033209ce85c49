"""Means over windows in compiled loops: they agree with the generic ones."""

import numpy as np
import pytest

from occore.kernels import pooling
from occore_convolution.windows import Windows

pytest.importorskip("numba")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "windows",
    [
        Windows((8, 6, 8), 2, 2),
        Windows((9, 7, 3), 2, 2),
        Windows((9, 7, 20), 3, 2),
        Windows((9, 7, 1), 2, 3),
        Windows((23, 2), 10, 3),
    ],
    ids=str,
)
def test_fast_and_generic_agree(windows, dtype, rng, monkeypatch):
    x = rng.standard_normal((5, *windows.state_shape)).astype(dtype)
    p = rng.standard_normal((5, *windows.output_shape)).astype(dtype)
    generic = windows.mean(x), windows.spread(p)
    monkeypatch.setattr(pooling, "FEWEST_ENTRIES", 0)
    for expected, found in zip(generic, (windows.mean(x), windows.spread(p)), strict=True):
        assert found.dtype == dtype
        np.testing.assert_allclose(found, expected, rtol=0, atol=8 * np.finfo(dtype).eps)


def test_other_arrays_go_the_general_way():
    kernel = Windows((100, 100, 20), 2, 2).kernel
    x = np.ones((1, 100, 100, 20), np.float32)
    assert kernel.applies(x)
    assert not kernel.applies(x.astype(complex))
    assert not kernel.applies(x[:0])
