"""Pooling and padding against NumPy's windows, ties, counts of LeCun's network, wrong input."""

import numpy as np
import pytest

import occore
from occore_convolution.average_pooling import AveragePooling
from occore_convolution.max_pooling import MaxPooling
from occore_convolution.windows import Windows
from occore_convolution.zero_padding import ZeroPadding

RNG = np.random.default_rng(3)
SIZES = [
    ((9, 7, 3), 2, 2),
    ((9, 7, 3), 3, 2),
    ((9, 7, 3), 3, 1),
    ((9, 7, 3), 2, 3),
    ((11, 2), 4, 3),
]


@pytest.mark.parametrize(("kind", "reduction"), [(AveragePooling, np.mean), (MaxPooling, np.max)])
@pytest.mark.parametrize(("shape", "window", "stride"), SIZES)
def test_values_are_those_over_numpys_windows(kind, reduction, shape, window, stride):
    x, axes = RNG.standard_normal((2, *shape)), tuple(range(1, len(shape)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (window,) * len(axes), axes)
    apart = windows[:, *[slice(None, None, stride)] * len(axes)]
    expected = reduction(apart, axis=tuple(range(-len(axes), 0)))
    np.testing.assert_allclose(kind(shape, window, stride)(0.0, x, {}), expected, atol=1e-14)


@pytest.mark.parametrize(("shape", "window", "stride"), SIZES)
def test_what_is_spread_is_the_transpose(shape, window, stride):
    """Entry by entry: the matrix of the adjoint is the transposed matrix of the map."""
    pooling = AveragePooling(shape, window, stride)
    _, part = pooling.linearize(0.0, np.zeros((1, *shape)), {})
    n, m = np.prod(shape), np.prod(pooling.output_shape)
    forward = part.jvp(np.eye(n).reshape(n, *shape), {}).reshape(n, m)
    backward = part.vjp(np.eye(m).reshape(m, *pooling.output_shape))[0].reshape(m, n)
    np.testing.assert_array_equal(forward.T, backward)


def test_the_first_of_equal_entries_takes_the_subgradient():
    x = np.zeros((1, 4, 4, 1))
    x[0, 3, 2:, 0] = 5.0
    _, part = MaxPooling((4, 4, 1)).linearize(0.0, x, {})
    px, _ = part.vjp(np.array([[[[1.0], [2.0]], [[3.0], [4.0]]]]))
    expected = [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 0, 0], [0, 0, 4, 0]]
    np.testing.assert_array_equal(px[0, ..., 0], expected)


def test_gain_and_bias_are_two_controls_a_map_as_in_lecuns_network():
    """Layers H2 and H4 of the 1990 network have 8 and 24 trainable numbers."""
    assert AveragePooling((24, 24, 4), gain=True).controls.size == 8
    assert AveragePooling((8, 8, 12), gain=True).controls.size == 24
    assert AveragePooling((24, 24, 4), gain=True).output_shape == (12, 12, 4)
    assert AveragePooling((24, 24, 4)).controls.size == 0


def test_a_fresh_gain_is_the_average():
    x = RNG.standard_normal((2, 4, 4, 3))
    gained = AveragePooling((4, 4, 3), gain=True)
    u = gained.initial_controls(RNG)
    np.testing.assert_array_equal(gained(0.0, x, u), AveragePooling((4, 4, 3))(0.0, x, {}))


def test_padding_is_numpys():
    x = RNG.standard_normal((2, 3, 4, 2))
    expected = np.pad(x, [(0, 0), (2, 2), (2, 2), (0, 0)])
    np.testing.assert_array_equal(ZeroPadding((3, 4, 2), 2)(0.0, x, {}), expected)
    expected = np.pad(x[:, 0], [(0, 0), (1, 1), (0, 0)])
    np.testing.assert_array_equal(ZeroPadding((4, 2), 1)(0.0, x[:, 0], {}), expected)


def test_a_window_of_one_cell_is_a_copy():
    x = RNG.standard_normal((2, 3, 4, 2))
    for pooling in (AveragePooling((3, 4, 2), 1), MaxPooling((3, 4, 2), 1)):
        y = pooling(0.0, x, {})
        np.testing.assert_array_equal(y, x)
        assert not np.shares_memory(y, x)


@pytest.mark.parametrize("kind", [Windows, AveragePooling, MaxPooling])
def test_wrong_states_are_refused(kind):
    with pytest.raises(occore.InputError, match='of kind "picture" before it'):
        kind((64,), 2, 2)
    with pytest.raises(occore.InputError, match=r"5 cells does not fit into the grid \(8, 4\)"):
        kind((8, 4, 3), 5, 1)


def test_padding_of_a_vector_is_refused():
    with pytest.raises(occore.InputError, match='of kind "picture" before it'):
        ZeroPadding((64,), 1)
