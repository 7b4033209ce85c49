"""What observers see of residual networks, against what is known of them."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore import Data, InputError, Phase, Problem
from occore_continuous.control_spaces.piecewise_constant import PiecewiseConstant
from occore_continuous.control_spaces.piecewise_linear import PiecewiseLinear
from occore_continuous.discretizations.forward_euler import ForwardEuler
from occore_continuous.discretizations.imex_euler import ImexEuler
from occore_continuous.discretizations.leapfrog import Leapfrog
from occore_continuous.discretizations.rk4 import RK4
from occore_continuous.discretizations.verlet import Verlet
from occore_convolution.structured_layer import StructuredLayer
from occore_least_squares.least_squares import LeastSquares
from occore_residual.dense_block import DenseBlock
from occore_residual.hamiltonian_dense import HamiltonianDense
from occore_residual.motion_observer import MotionObserver, on_a_plane
from occore_residual.parabolic_dense import ParabolicDense
from occore_residual.response_observer import ResponseObserver
from occore_residual.reversibility_observer import ReversibilityObserver
from occore_residual.single_hamiltonian_dense import SingleHamiltonianDense
from occore_residual.stability_observer import StabilityObserver, growth


def problem_of(field, method, steps, horizon, rng, space=None):
    shape = field.state_shape
    data = Data(rng.standard_normal((20, *shape)), np.zeros((20, *shape)))
    phase = Phase("flow", field, method, steps, horizon, space=space or PiecewiseConstant())
    return Problem((phase,), LeastSquares(), data)


def seen(observer, problem, rng):
    return observer.observe(problem, problem.initial_controls(rng), 0)


def test_spectra_of_an_antisymmetric_field_lie_on_the_imaginary_axis(rng):
    problem = problem_of(StructuredLayer((6,), "antisymmetric"), RK4(), 5, 5.0, rng)
    found = seen(StabilityObserver(samples=3), problem, rng)
    assert found["flow/real"].shape == (5, 18)
    assert np.max(np.abs(found["flow/real"])) < 1e-7
    assert np.max(found["flow/growth"]) <= 1 + 1e-12


def test_spectra_of_a_parabolic_field_are_real_and_within_the_bound(rng):
    problem = problem_of(ParabolicDense((6,)), ForwardEuler(), 5, 1.0, rng)
    theta = problem.initial_controls(rng)
    found = StabilityObserver().observe(problem, theta, 0)
    assert np.max(np.abs(found["flow/imaginary"])) < 1e-12
    K = problem.unflatten(theta)["flow"]["K"]
    for z, each in zip(found["flow/real"], K, strict=True):
        assert -0.2 * np.linalg.norm(each, 2) ** 2 <= z.min()
        assert z.max() <= 1e-12
    assert np.all(found["flow/growth"] <= 1 + 1e-12)


def test_a_growth_is_that_of_small_differences(rng):
    """A linear field: the largest growth of a step is that of its worst direction."""
    field = StructuredLayer((5,), "antisymmetric", activation="identity", bias=False)
    problem = problem_of(field, ForwardEuler(), 1, 1.0, rng)
    theta = problem.initial_controls(rng)
    found = StabilityObserver(samples=1).observe(problem, theta, 0)
    end = problem.phases[0](np.eye(5), problem.unflatten(theta)["flow"])
    assert_allclose(found["flow/growth"], np.linalg.norm(end, 2), rtol=1e-12)


def test_methods_that_split_the_field_have_no_growth():
    assert np.isnan(growth(ImexEuler(), np.array([1j])))


@pytest.mark.parametrize("method", [Leapfrog(), Verlet()])
@pytest.mark.parametrize("field", [HamiltonianDense((2, 4)), SingleHamiltonianDense((2, 4))])
def test_symplectic_steps_go_back_to_rounding(field, method, rng):
    found = seen(
        ReversibilityObserver(), problem_of(field, method, 20, 4.0, rng, PiecewiseLinear(4)), rng
    )
    assert found["flow/gap_float64"] < 1e-13
    assert 1e-9 < found["flow/gap_float32"] < 1e-5


def test_euler_steps_do_not(rng):
    """A step there and back leaves a gap of h² f_x f to leading order, so all of them one of h."""
    gaps = []
    for steps in (100, 200):
        draw = np.random.default_rng(5)
        problem = problem_of(
            HamiltonianDense((2, 4)), ForwardEuler(), steps, 2.0, draw, PiecewiseConstant(1)
        )
        gaps.append(float(seen(ReversibilityObserver(), problem, draw)["flow/gap_float64"]))
    assert gaps[1] > 1e-4
    assert gaps[0] / gaps[1] == pytest.approx(2, abs=0.1)


def test_what_contracts_cannot_be_followed_back(rng):
    """One direction v dies out by exp(−12); rounding along it grows by that on the way back."""
    field = ParabolicDense((3,), activation="identity", bias=False)
    problem = problem_of(field, RK4(), 400, 8.0, rng, PiecewiseConstant(1))
    v = np.array([[0.6, 0.64, 0.48]])
    theta = problem.flatten({"flow": {"K": np.sqrt(1.5) * (v.T @ v)[None]}})
    found = ReversibilityObserver().observe(problem, theta, 0)
    assert found["flow/gap_float64"] < 1e-6
    assert found["flow/gap_float32"] > 1e-3


def test_responses_add_up(rng):
    """Blocks with shortcuts closed to λ = 0 and K₂ = 0: states are the biases alone."""
    field = DenseBlock((3,), scale=0.0, increment=True)
    problem = problem_of(field, ForwardEuler(), 3, 3.0, rng)
    b = np.array([[1.0] * 3, [3.0] * 3, [2.0] * 3])
    theta = problem.flatten({"flow": {"b2": b}})
    found = ResponseObserver().observe(problem, theta, 0)
    assert_allclose(found["flow/response"][1:], [2, 1], rtol=1e-13)
    assert_allclose(found["flow/state"][1:], [1, 3], rtol=1e-13)


def test_long_states_are_left_out(rng):
    problem = problem_of(ParabolicDense((6,)), ForwardEuler(), 5, 1.0, rng)
    assert seen(StabilityObserver(entries=5), problem, rng) == {}


def test_there_must_be_steps_to_look_at(rng):
    problem = problem_of(ParabolicDense((6,)), ForwardEuler(), 5, 1.0, rng)
    layer = replace(problem.phases[0], discretization=None, space=None)
    with pytest.raises(InputError, match="fixed steps"):
        seen(ResponseObserver(), replace(problem, phases=(layer,)), rng)


def test_motion_needs_classes(rng):
    problem = problem_of(ParabolicDense((6,)), ForwardEuler(), 5, 1.0, rng)
    with pytest.raises(InputError, match="classes"):
        seen(MotionObserver(), problem, rng)


def test_a_plane_in_space_is_found(rng):
    """Distances within a plane stay what they are, whatever space it lies in."""
    flat = rng.standard_normal((3, 10, 2))
    basis = np.linalg.qr(rng.standard_normal((5, 2)))[0]
    points = on_a_plane(flat @ basis.T + 3.0)

    def distances(p):
        p = p.reshape(-1, 2)
        return np.linalg.norm(p[:, None] - p, axis=2)

    assert_allclose(distances(points), distances(flat), atol=1e-12)
