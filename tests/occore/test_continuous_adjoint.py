"""The continuous adjoint: consistent with the flow, inconsistent with the discrete problem."""

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore import Data, Phase, Problem
from occore.symbolic.bolza import Bolza
from occore.symbolic.expression_dynamics import ExpressionDynamics
from occore.testing.models import Tanh
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.control_spaces.piecewise_constant import PiecewiseConstant
from occore_continuous.discretizations.dopri5 import Dopri5
from occore_continuous.discretizations.forward_euler import ForwardEuler
from occore_continuous.discretizations.rk4 import RK4
from occore_continuous.discretizations.sdirk3 import SDIRK3
from occore_least_squares.least_squares import LeastSquares

STEPS = (2, 10, 50, 1000)


def tanh_gradients(steps, horizon, rng):
    """Euler on x' = tanh(K x + b) in four dimensions: complex step, discrete, continuous."""
    K, b = rng.standard_normal((1, 4, 4)), rng.standard_normal((1, 4))
    x, target = rng.standard_normal((2, 1, 4))
    space = PiecewiseConstant(intervals=1)
    phase = Phase("field", Tanh((4,), 4), ForwardEuler(), steps, horizon, space=space)
    problem = Problem((phase,), LeastSquares(), Data(x, target))
    theta = problem.flatten({"field": {"K": K, "b": b}})
    continuous = replace(problem, phases=(replace(phase, gradient="optimize_discretize"),))
    exact = np.empty(problem.size)
    for k in range(problem.size):
        moved = theta.astype(complex)
        moved[k] += 1e-30j
        r = phase(x, problem.unflatten(moved)["field"]) - target
        exact[k] = np.sum(r * r).imag / 2e-30
    return exact, problem.value_and_gradient(theta)[1], continuous.value_and_gradient(theta)[1]


@pytest.mark.parametrize("horizon", [1.0, 5.0])
def test_the_table_of_inconsistency(horizon):
    """Gholami, Keutzer and Biros (2019): 27 %, 6.8 %, 1.4 %, 0.07 % on another random field."""
    discrete, continuous = [], []
    for steps in STEPS:
        exact, a, b = tanh_gradients(steps, horizon, np.random.default_rng(1))
        scale = np.linalg.norm(exact)
        discrete.append(np.linalg.norm(a - exact) / scale)
        continuous.append(np.linalg.norm(b - exact) / scale)
    assert max(discrete) < 1e-14
    assert continuous[0] > 0.05 and continuous[-1] < 0.01
    slope = np.polyfit(np.log(horizon / np.array(STEPS[1:])), np.log(continuous[1:]), 1)[0]
    assert abs(slope - 1) < 0.1


SWING = ExpressionDynamics(("x", "v"), ("u",), {"x": "v", "v": "u - k*v - sin(x)"}, unknowns=("k",))


def swing(gradient, method, steps, **options) -> Problem:
    phase = Phase(
        "swing",
        SWING,
        method,
        steps,
        2.0,
        space=PiecewiseConstant(intervals=2),
        gradient=gradient,
        **options,
    )
    objective = Bolza(running="x**2 + 0.1*u**2", terminal="v**2").for_phases((phase,))
    return Problem((phase,), objective, Data(np.array([[1.0, 0.0]])))


@pytest.mark.parametrize("method", [RK4(), SDIRK3(), Dopri5()], ids=["rk4", "sdirk3", "dopri5"])
@pytest.mark.parametrize("free", [False, True], ids=["known", "free start and horizon"])
def test_the_gap_closes_at_the_order_of_the_method_or_of_the_interpolation(rng, method, free):
    """With a running cost, jumps of the control, and every kind of unknown; Hermite has order 4."""
    options = {"free_start": np.array([False, True]), "free_horizon": True} if free else {}
    steps, gaps = np.array([8, 16, 32]), []
    for n in map(int, steps):
        exact = swing("discretize_optimize", method, n, **options)
        theta = exact.flatten({"swing": exact.phases[0].layout.random(np.random.default_rng(3))})
        if free:
            theta[exact.layout.slices["swing/horizon"]] = 2.0
        other = swing("optimize_discretize", method, n, **options)
        a, b = (problem.value_and_gradient(theta) for problem in (exact, other))
        assert_allclose(a[0], b[0], rtol=1e-13)
        gaps.append(np.linalg.norm(a[1] - b[1]) / np.linalg.norm(a[1]))
    slope = np.polyfit(np.log(1 / steps), np.log(gaps), 1)[0]
    assert slope > min(method.order, 4) - 0.3
    assert gaps[0] > 1e-9


def test_the_tangent_is_that_of_the_discrete_march(rng):
    exact = Phase("swing", SWING, RK4(), 5, space=Constant())
    other = replace(exact, gradient="optimize_discretize")
    x, u = rng.standard_normal((2, 2)), exact.layout.random(rng)
    dx, du = rng.standard_normal((2, 2)), exact.layout.random(rng)
    parts = [phase.linearize(x, u)[1] for phase in (exact, other)]
    assert np.array_equal(*(part.jvp(dx, du) for part in parts))
    assert parts[1].curvature is None


def test_the_table_of_the_docs_is_what_its_script_prints(capsys):
    runpy.run_path("docs/examples/gradients_compared.py")["inconsistency"]()
    assert capsys.readouterr().out in Path("docs/time-integration.md").read_text()
