"""Running costs and unknown horizons are compiled with the field: the general way agrees."""

from dataclasses import replace

import numpy as np
import pytest

from occore.kernels.fields import field_kernels
from occore.phase import Phase
from occore.running import RunningTotal, WithCost
from occore.symbolic.expression_dynamics import ExpressionDynamics
from occore.symbolic.running_cost import ExpressionRunning
from occore.time_scaled import HORIZON, TimeScaled
from occore_continuous.control_spaces.piecewise_constant import PiecewiseConstant
from occore_continuous.discretizations.midpoint import Midpoint

pytest.importorskip("numba")

GENERAL = ExpressionDynamics(("q", "p"), ("u",), {"q": "p", "p": "k*u - sin(q)"}, ("k",))
COMPILED = replace(GENERAL, compiler="numba")


def with_cost(field):
    terms = (
        (2.0, ExpressionRunning("q**2 + u**2", field)),
        (-1.0, ExpressionRunning("k*p", field)),
    )
    return WithCost(field, RunningTotal(terms), (2,))


def single_cost(field):
    return WithCost(field, ExpressionRunning("q*u + t", field), (2,))


def scaled_cost(field):
    return TimeScaled(with_cost(field))


@pytest.mark.parametrize("wrap", [with_cost, single_cost, TimeScaled, scaled_cost])
def test_wrapped_fields(wrap):
    states = 2 if wrap is TimeScaled else 3
    found = []
    for field in (wrap(COMPILED), wrap(GENERAL)):
        phase = Phase("swing", field, Midpoint(), 12, 1.0, space=PiecewiseConstant(intervals=4))
        draw = np.random.default_rng(4)
        x, dx, py = draw.random((3, 2, states))
        u, du = phase.layout.random(draw), phase.layout.random(draw)
        march = phase.march(x, u)
        assert (march.compiled is None) == (field == wrap(GENERAL))
        y, part = march.linearize(x, u)
        (px, pu), (hx, hu) = part.vjp(py), part.curvature(py, dx, du)
        found.append([y, part.jvp(dx, du), px, *pu.values(), hx, *hu.values()])
        assert list(pu) == list(field.controls)
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


def test_what_has_no_tape_has_no_kernels():
    class Opaque:
        pass

    assert field_kernels(GENERAL) is None
    assert field_kernels(WithCost(COMPILED, Opaque(), (2,))) is None
    assert HORIZON in TimeScaled(COMPILED).controls
