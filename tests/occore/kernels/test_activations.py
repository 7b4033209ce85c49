"""Activations against SymPy's derivatives of their own traced code, and far out."""

import numpy as np
import pytest
import sympy

from occore.kernels.activations import ACTIVATIONS, activation
from occore.symbolic.array import symbols


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivatives_are_those_of_the_value(name):
    sigma, points = activation(name), np.array([-2.0, -0.3, 0.4, 3.0])
    s = symbols("s", (1,))
    expression = sigma(s).entries.item()
    (symbol,) = expression.free_symbols
    y = sigma(points)
    for order, found in ((1, sigma.slope(points, y)), (2, sigma.bend(points, y))):
        exact = sympy.diff(expression, symbol, order)
        expected = [float(exact.subs(symbol, point)) for point in points]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_arguments_overflow_nothing_and_keep_the_precision(name, dtype):
    sigma, s = activation(name), np.array([-1e4, 0.0, 1e4], dtype)
    with np.errstate(all="raise"):
        y = sigma(s)
        results = [y, sigma.slope(s, y), sigma.bend(s, y)]
    for result in results:
        assert result.dtype == dtype
        assert np.all(np.isfinite(result))


def test_the_scaled_tanh_of_lecun_goes_through_plus_and_minus_one():
    np.testing.assert_allclose(activation("scaled_tanh")(np.array([-1.0, 1.0])), [-1, 1], atol=5e-5)
