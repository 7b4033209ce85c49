"""The penalty on changes in time: grids of control spaces, the integral it stands for, errors."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import occore
from occore import Data, InputError, Phase, Problem
from occore_classification.lbfgs import LBFGS
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.control_spaces.piecewise_constant import PiecewiseConstant
from occore_continuous.control_spaces.piecewise_linear import PiecewiseLinear
from occore_continuous.discretizations.forward_euler import ForwardEuler
from occore_convolution.parabolic_convolution import ParabolicConvolution
from occore_convolution.smoothness_in_time import SmoothnessInTime
from occore_least_squares.least_squares import LeastSquares
from tests.plugins.occore_classification.conftest import solve


def integrated(space, horizon=2.0):
    return Phase("heat", ParabolicConvolution((4, 1)), ForwardEuler(), 8, horizon, space=space)


def test_piecewise_linear_it_is_half_the_integral_of_the_square_of_the_rate():
    """u = t² at the nodes: rates (t_k + t_{k+1}), so ½ Δ Σ (t_k + t_{k+1})² for each tap."""
    phase = integrated(PiecewiseLinear(intervals=4))
    term = SmoothnessInTime(controls=("K",)).for_phases((phase,))
    t = np.linspace(0, 2, 5)
    u = {"heat": {"K": np.tile((t**2)[:, None, None, None], (1, 3, 1, 1)), "b": np.ones((5, 1))}}
    assert_allclose(term(u), 3 * 0.5 * 0.5 * np.sum((t[:-1] + t[1:]) ** 2), rtol=1e-13)


def test_piecewise_constant_by_intervals():
    term = SmoothnessInTime().for_phases((integrated(PiecewiseConstant(intervals=2)),))
    assert term.lengths == (("heat/K", (1.0,)), ("heat/b", (1.0,)))
    u = {"heat": {"K": np.array([0.0, 3.0]).reshape(2, 1, 1, 1) * np.ones((2, 3, 1, 1))}}
    assert_allclose(term(u | {"heat": u["heat"] | {"b": np.array([[0.0], [1.0]])}}), (27 + 1) / 2)


def test_a_large_weight_makes_the_controls_constant(rng):
    phase = integrated(PiecewiseConstant(intervals=4))
    x, y = rng.standard_normal((2, 20, 4, 1))
    objective = LeastSquares() + 1e4 * SmoothnessInTime().for_phases((phase,))
    problem = Problem((phase,), objective, Data(x, y))
    theta = problem.initial_controls(rng)
    theta, _, _ = solve(LBFGS(max_iterations=60), problem, theta)
    K = problem.unflatten(theta)["heat"]["K"]
    assert np.ptp(K, axis=0).max() < 1e-3 * np.abs(K).max()


def test_nothing_that_varies():
    for phase in (integrated(Constant()), Phase("layer", ParabolicConvolution((4, 1)))):
        with pytest.raises(InputError, match="none of the controls varies in time"):
            SmoothnessInTime().for_phases((phase,))
    with pytest.raises(InputError, match="no control 'L'"):
        SmoothnessInTime(controls=("L",)).for_phases((integrated(PiecewiseConstant()),))


def test_it_is_registered():
    assert ("objective", "smoothness_in_time") in occore.load_host().registry.items
