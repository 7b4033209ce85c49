"""Convolution through a table: against plain convolutions, a written-out border, and bad tables."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.signal import correlate

from occore import InputError
from occore_convolution.table_convolution import TableConvolution

TABLE = ((0,), (0, 2), (2, 1))


def test_each_map_sees_its_inputs_only(rng):
    """Every output map is a sum of correlations of SciPy, entry by entry of the table."""
    layer = TableConvolution((7, 6, 3), 3, TABLE, stencil=3, bias="unit", activation="identity")
    x, u = rng.standard_normal((2, 7, 6, 3)), layer.initial_controls(rng)
    u["b"] = rng.standard_normal((5, 4, 3))
    y, entries = layer(0.0, x, u), [(o, i) for o, seen in enumerate(TABLE) for i in seen]
    expected = np.tile(u["b"], (2, 1, 1, 1))
    for e, (o, i) in enumerate(entries):
        for sample in range(2):
            expected[sample, ..., o] += correlate(x[sample, ..., i], u["K"][..., e], "valid")
    assert_allclose(y, expected, rtol=1e-12, atol=1e-13)


def test_the_background_is_what_is_outside(rng):
    """A border of −1, which the paper writes around the picture, gives the same."""
    x = rng.standard_normal((2, 8, 8, 2))
    layer = TableConvolution((8, 8, 2), 4, stride=2, boundary="background", background=-1.0)
    u = layer.initial_controls(rng) | {"b": rng.standard_normal(4)}
    bordered = np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)), constant_values=-1.0)
    inside = TableConvolution((12, 12, 2), 4, stride=2)
    assert layer.output_shape == inside.output_shape == (4, 4, 4)
    assert_allclose(layer(0.0, x, u), inside(0.0, bordered, u), rtol=1e-12)


def test_weights_start_by_the_connections_of_their_map(rng):
    """U(−1, 1)/√n with n the inputs of a unit: 25 of the first map, 800 of the second."""
    layer = TableConvolution((5, 5, 32), 2, ((0,), tuple(range(32))))
    K = layer.initial_controls(rng)["K"]
    assert K.shape == (5, 5, 33)
    assert 0.15 < np.abs(K[..., 0]).max() < 0.2
    assert 0.034 < np.abs(K[..., 1:]).max() < 0.0354


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (((0,), (1,)), "2 rows for 3 output maps"),
        (((0,), (), (1,)), r"row 1 of the table is \[\]"),
        (((0,), (1, 1), (1,)), "each once"),
        (((0,), (1,), (3,)), "input maps 0 to 2"),
    ],
)
def test_tables_that_do_not_fit_are_refused(table, message):
    with pytest.raises(InputError, match=message):
        TableConvolution((6, 6, 3), 3, table)


def test_vectors_are_refused():
    with pytest.raises(InputError, match='kind "picture" before it'):
        TableConvolution((36,), 3)
