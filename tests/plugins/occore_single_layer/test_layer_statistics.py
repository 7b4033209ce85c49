"""Layer statistics: the study of initial weights by Glorot and Bengio, steps, what is nan."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

import occore
from occore import Data, Phase, Problem
from occore_continuous.control_spaces.piecewise_constant import PiecewiseConstant
from occore_continuous.discretizations.forward_euler import ForwardEuler
from occore_convolution.average_pooling import AveragePooling
from occore_convolution.batch_normalisation import BatchNormalisation
from occore_least_squares.least_squares import LeastSquares
from occore_single_layer.dense import Dense
from occore_single_layer.layer_figure import MOST_LOOKS, figure
from occore_single_layer.layer_statistics import LayerStatistics, singular_values

WIDTH = 1000
NAMES = [f"layer_{k}" for k in range(1, 6)]


def chain(initialisation):
    """Five tanh layers of a thousand units on standard normal samples, and controls to start at."""
    rng = np.random.default_rng(0)
    phases = [Phase(name, Dense((WIDTH,), WIDTH, initialisation=initialisation)) for name in NAMES]
    data = Data(*(rng.standard_normal((100, WIDTH)) for _ in range(2)))
    problem = Problem(tuple(phases), LeastSquares(), data)
    return problem, problem.initial_controls(rng)


@pytest.mark.parametrize(
    ("initialisation", "exact"),
    [("glorot", 8 / (3 * math.pi)), ("standard", 8 / (3 * math.pi * math.sqrt(3)))],
)
def test_the_mean_singular_value_is_that_of_the_quarter_circle(initialisation, exact):
    """Of a random square matrix with entries of variance s²/n, as n grows: 8 s/(3π)."""
    layer = Phase("layer", Dense((WIDTH,), WIDTH, initialisation=initialisation))
    u = layer.initial_controls(np.random.default_rng(1))
    values = singular_values(layer, np.zeros((1, WIDTH)), u)
    assert len(values) == WIDTH
    assert abs(values.mean() - exact) < 0.01
    assert abs(values.max() - exact * 3 * math.pi / 4) < 0.03  # the end of the quarter circle, 2 s


@pytest.mark.parametrize(
    ("initialisation", "first", "last", "gradient"),
    [("standard", 0.46, 0.047, 0.08), ("glorot", 0.63, 0.32, 0.41)],
)
def test_five_tanh_layers_at_the_start(initialisation, first, last, gradient):
    """Activations shrink, and so do gradients on their way back, much less with glorot's weights.

    The gradients are those in the arguments of the layers, as in the paper: σ' ∘ ∂J/∂y.
    """
    problem, theta = chain(initialisation)
    found = LayerStatistics(jacobians=0).observe(problem, theta, 0)
    deviation = [found[f"{name}/deviation"][0] for name in NAMES]
    assert abs(deviation[0] - first) < 0.01
    assert abs(deviation[-1] - last) < 0.05 * last
    assert np.all(np.diff(deviation) < 0)
    assert all(abs(found[f"{name}/mean"][0]) < 0.01 for name in NAMES)
    x, u, sizes = problem.data.inputs, problem.unflatten(theta), []
    for name, p in zip(NAMES, problem.state_gradients(theta), strict=True):
        x = np.tanh(x @ u[name]["K"].T + u[name]["b"])
        sizes.append(np.sqrt(np.mean(((1 - x * x) * p) ** 2)))
        assert_allclose(found[f"{name}/gradient_rms"], np.sqrt(np.mean(p * p)), rtol=1e-12)
    assert abs(sizes[0] / sizes[-1] - gradient) < 0.05 * gradient + 0.005
    assert np.all(np.diff(sizes) > 0)


def test_the_gradients_behind_phases_are_derivatives(rng):
    """Each against the value, from a start behind the phase, by central differences."""
    phases = (Phase("a", Dense((3,), 4)), Phase("b", Dense((4,), 4)), Phase("c", Dense((4,), 2)))
    data = Data(rng.standard_normal((5, 3)), rng.standard_normal((5, 2)))
    problem = Problem(phases, LeastSquares(), data)
    theta = problem.initial_controls(rng)
    x = data.inputs
    for k, p in enumerate(problem.state_gradients(theta)[:-1]):
        x = phases[k](x, problem.unflatten(theta)[phases[k].name])
        rest = Problem(phases[k + 1 :], LeastSquares(), Data(x, data.targets))
        d, part = rng.standard_normal(x.shape), theta[-rest.size :]
        ahead, back = (
            Problem(rest.phases, rest.objective, Data(x + s * d, data.targets)).value(part)
            for s in (1e-6, -1e-6)
        )
        assert_allclose(np.sum(p * d), (ahead - back) / 2e-6, rtol=1e-8)


def test_saturated_entries_are_those_where_tanh_is_flat(rng):
    """1 − tanh² is below a tenth where |s| > 1.8184: of N(0, 3²) arguments 54.4 %."""
    data = Data(rng.standard_normal((4000, 9)), np.zeros((4000, 9)))
    phases = (Phase("flat", Dense((9,), 9)), Phase("sine", Dense((9,), 9, "sin")))
    problem = Problem(phases, LeastSquares(), data)
    theta = problem.flatten({"flat": {"K": 3 * np.eye(9), "b": np.zeros(9)}})
    found = LayerStatistics(samples=4000).observe(problem, theta, 0)
    assert found["flat/saturation"] == np.mean(np.abs(3 * data.inputs) > np.arctanh(np.sqrt(0.9)))
    assert abs(found["flat/saturation"] - 0.544) < 0.01
    assert np.isnan(found["sine/saturation"])


def test_an_integrated_phase_has_a_number_for_each_step(rng):
    flow = Phase("flow", Dense((4,), 4), ForwardEuler(), 6, 2.0, space=PiecewiseConstant())
    data = Data(rng.standard_normal((8, 4)), rng.standard_normal((8, 4)))
    problem = Problem((flow,), LeastSquares(), data)
    theta = problem.initial_controls(rng)
    found = LayerStatistics(jacobians=2).observe(problem, theta, 0)
    assert found["flow/deviation"].shape == (6,)
    states = list(flow.states(data.inputs, problem.unflatten(theta)["flow"]))
    assert_allclose(found["flow/deviation"], [state.std() for state in states])
    assert found["flow/singular_smallest"] > 0


def test_the_jacobian_of_averages_is_known():
    """Windows do not overlap: J Jᵀ = I/4, and as many singular values as outputs."""
    pool = Phase("pool", AveragePooling((4, 6, 2)))
    assert_allclose(singular_values(pool, np.ones((1, 4, 6, 2)), {}), np.full(12, 0.5))


def test_large_states_and_coupled_samples_have_no_jacobian(rng):
    phases = (Phase("wide", Dense((3,), 20)), Phase("norm", BatchNormalisation((20,))))
    problem = Problem(phases, LeastSquares(), Data(rng.standard_normal((5, 3)), np.zeros((5, 20))))
    theta = problem.initial_controls(rng)
    found = LayerStatistics(entries=10).observe(problem, theta, 0)
    assert np.isnan(found["wide/singular_mean"])
    found = LayerStatistics().observe(problem, theta, 0)
    assert not np.isnan(found["wide/singular_mean"])
    assert np.isnan(found["norm/singular_mean"])
    assert_allclose(found["norm/deviation"], 1, rtol=1e-3)


def test_the_figure_has_a_curve_for_each_look(tmp_path):
    figures = pytest.importorskip("matplotlib.figure")
    case = {
        "title": "A flow between layers",
        "data": {"kind": "half_plane", "samples": 50},
        "phase": [
            {"name": "first", "dynamics": {"kind": "dense", "width": 3}},
            {
                "name": "flow",
                "dynamics": {"kind": "dense", "width": 3},
                "discretization": {"kind": "forward_euler", "steps": 4},
            },
            {"name": "last", "dynamics": {"kind": "linear", "width": 1}},
        ],
        "objective": {"kind": "logistic"},
        "optimizer": {"kind": "lbfgs", "max_iterations": 20},
        "observer": [{"kind": "layer_statistics", "jacobians": 0, "name": "layers"}],
    }
    run = occore.run(case, tmp_path / "run.h5", checks=False)
    draw = figure(run)
    assert draw is not None
    panel = figures.Figure(figsize=(draw.width, 4), layout="constrained")
    draw(panel)
    panel.savefig(tmp_path / "figure.png")
    for axes in panel.axes:
        assert len(axes.lines) == MOST_LOOKS
    steps, once, _ = (axes.lines[0].get_xdata() for axes in panel.axes)
    np.testing.assert_allclose(steps, [1, 1.25, 1.5, 1.75, 2, 3])
    np.testing.assert_allclose(once, [1, 2, 3])
    deviation = run["observers/layers/flow/deviation"]
    np.testing.assert_array_equal(panel.axes[0].lines[-1].get_ydata()[1:5], deviation[-1])


def test_other_runs_have_no_such_figure(tmp_path):
    case = "cases/03_classification/half_plane.toml"
    assert figure(occore.run(case, tmp_path / "run.h5", checks=False)) is None
