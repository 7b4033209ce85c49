"""The misfit of observed trajectories, and fits with observation times of each sample's own."""

from dataclasses import replace

import numpy as np
import pytest

import occore
from occore import Data, InputError, Phase, Problem
from occore.symbolic.expression_dynamics import ExpressionDynamics
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.discretizations.rk4 import RK4
from occore_continuous.observation_misfit import ObservationMisfit
from occore_least_squares.least_squares import LeastSquares

DECAY = ExpressionDynamics(("x", "y"), (), {"x": "-k*x", "y": "x"}, ("k",))


def problem(x, times, targets, **options):
    times = np.asarray(times, float)
    phase = Phase(
        "flow",
        DECAY,
        RK4(),
        16,
        float(times[-1]),
        space=Constant(),
        observations=tuple(times),
        **options,
    )
    data = Data(np.asarray(x, float), np.asarray(targets, float), times=times)
    return Problem((phase,), ObservationMisfit(), data)


def test_complete_observations_are_least_squares(rng):
    x, target = rng.standard_normal((2, 3, 4, 2))
    assert ObservationMisfit()(x, target) == pytest.approx(LeastSquares()(x, target), rel=1e-14)
    both = ObservationMisfit(deviation=2.0)(x, target)
    assert both == pytest.approx(LeastSquares()(x, target) / 4, rel=1e-14)


def test_each_sample_has_its_own_times(rng):
    """The fit of two trajectories is the sum of their own fits, up to the steps in between."""
    nan, k = np.nan, np.array([0.7])
    a = problem([[1.0, 0.0]], [0.5, 2.0], [[[0.6, 0.3], [0.2, 0.7]]])
    b = problem([[2.0, 1.0]], [1.25, 2.0], [[[0.9, nan], [nan, 2.0]]])
    both = problem(
        [[1.0, 0.0], [2.0, 1.0]],
        [0.5, 1.25, 2.0],
        [[[0.6, 0.3], [nan, nan], [0.2, 0.7]], [[nan, nan], [0.9, nan], [nan, 2.0]]],
    )
    values, gradients = zip(*(p.value_and_gradient(k) for p in (a, b)), strict=True)
    value, gradient = both.value_and_gradient(k)
    assert value == pytest.approx(sum(values), rel=1e-7)
    assert gradient == pytest.approx(sum(gradients), rel=1e-7)


def test_the_states_are_those_at_the_times(rng):
    """No interpolation: x(t) = x₀ e^(−kt) at times that no step of its own would hit."""
    times = np.sort(rng.uniform(0, 2, 9))
    found = problem([[1.0, 0.0]], times, np.zeros((1, 9, 2)))
    x = found.phases[0](found.data.inputs, {"k": np.array(0.7)})
    # RK4 is off by (k h)⁴ k t / 120 = 4e-7, a cubic between the nodes by 1e-5
    assert np.allclose(x[0, :, 0], np.exp(-0.7 * times), rtol=1e-6)


def test_the_metrics_count_what_was_observed():
    nan, term = np.nan, ObservationMisfit()
    x = np.array([[[1.0], [2.0], [5.0]]])
    found = term.metrics(x, Data(np.zeros((1, 1)), np.array([[[1.0], [nan], [3.0]]])))
    assert found == {"rmse": pytest.approx(2**0.5), "r_squared": pytest.approx(-1.0)}


CASE = {
    "title": "decay",
    "data": {
        "kind": "simulated",
        "states": ["x"],
        "rates": {"x": "-0.5*x"},
        "start": [2.0],
        "horizon": 3.0,
        "observations": 6,
    },
    "phase": [
        {
            "name": "flow",
            "dynamics": {
                "kind": "symbolic",
                "states": ["x"],
                "controls": [],
                "unknowns": ["k"],
                "rates": {"x": "-k*x"},
            },
            "discretization": {"kind": "rk4", "steps": 30},
            "observations": "data",
            "start": "unknown",
            "controls": {"kind": "constant"},
        }
    ],
    "objective": {"kind": "observation_misfit"},
    "optimizer": {"kind": "gauss_newton", "tolerance": 1e-12},
}


def changed(*settings):
    return occore.load_case(CASE, settings=settings)


def test_a_case_takes_times_horizon_and_guess_from_the_data(tmp_path):
    built = changed().build()
    assert built.problem.phases[0].horizon == 3.0
    assert built.problem.unflatten(built.theta)["flow"]["start"] == [2.0]
    run = occore.run(changed(), tmp_path / "run.h5")
    assert run["controls/flow/k"] == pytest.approx(0.5, abs=1e-7)
    assert run["controls/flow/start"][0] == pytest.approx(2.0, abs=1e-7)
    assert np.allclose(run["data/time"], np.arange(7) / 2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["data.trajectories=3"], "an unknown start is one for all samples, and the data have 3"),
        (["objective.deviation=[1.0, 2.0]"], "deviation has 2 numbers, but 1 states"),
        (["phase.flow.horizon=2.0"], "times must increase from 0 to the horizon 2"),
        (["phase.flow.start={x=1.0}"], "the start comes from the data"),
    ],
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(InputError) as found:
        changed(*settings).build()
    assert message in str(found.value)


def test_data_without_times_are_refused():
    case = {**CASE, "data": {"kind": "sinc"}}
    with pytest.raises(InputError, match="the data have no times of observations"):
        occore.load_case(case).build()


def test_a_trial_without_a_solution_is_a_step_too_far(tmp_path):
    """x' = c x² from 1 ends at t = 1/c; Newton's first step from c = 0 goes there."""
    data = {"rates": {"x": "0.5*x**2"}, "start": [1.0], "horizon": 1.9}
    phase = CASE["phase"][0] | {
        "dynamics": CASE["phase"][0]["dynamics"] | {"rates": {"x": "k*x**2"}},
        "discretization": {"kind": "dopri5", "rtol": 1e-8},
        "guess": {"k": 0.0},
    }
    del phase["start"]
    case = CASE | {"data": CASE["data"] | data, "phase": [phase]}
    for kind in ("gauss_newton", "lbfgs"):
        settings = [f"optimizer.kind={kind}", "optimizer.tolerance=1e-8"]
        run = occore.run(occore.load_case(case, settings=settings), tmp_path / f"{kind}.h5")
        assert run.status == "converged"
        assert run["controls/flow/k"] == pytest.approx(0.5, abs=1e-6)


def test_held_out_trajectories_keep_their_times(rng):
    both = problem([[1.0, 0.0], [2.0, 1.0]], [0.5, 2.0], np.zeros((2, 2, 2)))
    part = replace(both, data=both.data.subset([1]))
    assert part.data.times is both.data.times
    assert part.output(np.array([0.3])).shape == (1, 2, 2)
