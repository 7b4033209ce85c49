"""The structured layer: its parameters, as a field, and what it refuses."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore import InputError, Phase
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.discretizations.rk4 import RK4
from occore_convolution.structured_layer import PATTERNS, StructuredLayer


@pytest.mark.parametrize(
    ("pattern", "parameters"),
    [("full", 25), ("diagonal", 5), ("antisymmetric", 10), ("m_matrix", 20), ("circulant", 5)],
)
def test_parameters(pattern, parameters):
    layer = StructuredLayer((5,), pattern)
    assert layer.controls.shapes == {"theta": (parameters,), "b": (5,)}


def test_the_initial_matrix_has_the_scale_of_its_rows(rng):
    """Glorot for rows of m entries: variance 6/(2m)/3 = 1/m of each parameter."""
    for pattern, in_row in (("full", 100), ("diagonal", 1), ("stencil", 2)):
        theta = np.concatenate(
            [
                StructuredLayer((100,), pattern).initial_controls(rng)["theta"]
                for _ in range(10000 // PATTERNS[pattern](100).parameters)
            ]
        )
        assert_allclose(theta.var(), 1 / in_row, rtol=0.1)


def test_an_antisymmetric_field_keeps_lengths():
    """A rotation by t: dx/dt = K x with K = [[0, 1], [−1, 0]], to the accuracy of RK4."""
    field = StructuredLayer((2,), "antisymmetric", activation="identity", bias=False)
    phase = Phase("turn", field, RK4(), 200, math.pi / 2, space=Constant())
    x = phase(np.array([[3.0, 4.0]]), {"theta": np.array([[1.0]])})
    assert_allclose(x, [[4.0, -3.0]], atol=1e-8)


def test_states_that_do_not_fit():
    with pytest.raises(InputError, match="flatten"):
        StructuredLayer((4, 4), "diagonal")
    with pytest.raises(InputError, match="odd number of points"):
        StructuredLayer((2,), "stencil")
