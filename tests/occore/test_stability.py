"""How far methods are stable, and the steps of a phase against the spectrum of its field."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore import Controls, Dynamics, Layout, Phase, Products
from occore.stability import reach, stability
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.control_spaces.piecewise_constant import PiecewiseConstant
from occore_continuous.discretizations.backward_euler import BackwardEuler
from occore_continuous.discretizations.bosh3 import Bosh3
from occore_continuous.discretizations.forward_euler import ForwardEuler
from occore_continuous.discretizations.heun import Heun
from occore_continuous.discretizations.leapfrog import Leapfrog
from occore_continuous.discretizations.midpoint import Midpoint
from occore_continuous.discretizations.rk4 import RK4


@pytest.mark.parametrize(
    ("method", "real", "imaginary"),
    [
        (ForwardEuler(), 2, 0),
        (Heun(), 2, 0),
        (Midpoint(), 2, 0),
        (Bosh3(), 2.5127453266183286, math.sqrt(3)),
        (RK4(), 2.7852935634052816, 2 * math.sqrt(2)),
        (Leapfrog(), 0, 2),
    ],
    ids=lambda value: type(value).__name__,
)
def test_reach(method, real, imaginary):
    """Real ends: roots of 1 − s + s²/2 − s³/6 = −1 and of −1 + s/2 − s²/6 + s³/24 = 0.

    Imaginary ends: |R|² = 1 − w²/12 + w³/36 (order 3) and 1 − w³/72 + w⁴/576 (order 4), w = s².
    """
    assert_allclose(reach(method), (real, imaginary), rtol=1e-12)


def test_an_implicit_method_says_nothing():
    assert reach(BackwardEuler()) is None


@dataclass(frozen=True)
class Decay(Dynamics):
    """f = −u x, whose eigenvalue is −u."""

    controls = Layout({"u": ()})

    def __call__(self, t, x, u):
        return -u["u"] * x

    def linearize(self, t, x, u):
        def vjp(py):
            return -u["u"] * py, {"u": -np.sum(py * x)}

        return self(t, x, u), Products(lambda dx, du: -u["u"] * dx - du["u"] * x, vjp)

    def spectrum(self, u: Controls) -> tuple[float, float]:
        return float(u["u"]), 0.0


def test_the_fastest_control_decides():
    """Four steps of 1/2; rates 1 and 5 on halves: 5 · ½ against 2."""
    space = PiecewiseConstant(intervals=2)
    phase = Phase("fall", Decay(), ForwardEuler(), 4, 2.0, space=space)
    assert stability(phase, {"u": np.array([1.0, 5.0])}) == {
        "real_bound": 5.0,
        "imaginary_bound": 0.0,
        "step": 0.5,
        "step_over_bound": 1.25,
    }


def test_a_free_horizon_scales_the_steps():
    phase = Phase("fall", Decay(), RK4(), 4, 2.0, space=Constant(), free_horizon=True)
    found = stability(phase, {"u": np.array([3.0]), "horizon": np.array(8.0)})
    assert found is not None
    assert found["step"] == 2.0
    assert_allclose(found["step_over_bound"], 6 / 2.7852935634052816, rtol=1e-12)


def test_the_bound_is_where_growth_begins():
    """|x| after a step just below and just above the bound."""
    for h, grows in ((0.39, False), (0.41, True)):
        phase = Phase("fall", Decay(), ForwardEuler(), 1, h, space=Constant())
        u = {"u": np.array([5.0])}
        found = stability(phase, u)
        assert found is not None
        assert (found["step_over_bound"] > 1) is grows
        assert (abs(phase(np.array([[1.0]]), u).item()) > 1) is grows


def test_layers_and_silent_methods_have_no_record():
    assert stability(Phase("layer", Decay()), {"u": np.array(1.0)}) is None
    silent = Phase("fall", Decay(), BackwardEuler(), 4, 2.0, space=Constant())
    assert stability(silent, {"u": np.array([1.0])}) is None
