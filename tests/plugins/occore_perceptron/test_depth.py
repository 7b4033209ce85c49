"""Chains of many layers: the gradient stays at rounding, products of weights grow or vanish."""

import math
from pathlib import Path

import numpy as np
import pytest

import occore
from occore import Data, Phase, Problem
from occore.errors import NonFiniteError
from occore_least_squares.least_squares import LeastSquares
from occore_perceptron.grouped_dense import GroupedDense
from occore_perceptron.linked_dense import LinkedDense
from occore_single_layer.dense import Dense


def complex_step(problem, theta, d):
    """∂J/∂d without differences: the layers run forward on numbers with a tiny imaginary part."""
    x = problem.data.inputs
    for phase, u in zip(problem.phases, problem.controls_in_order(theta + 1e-30j * d), strict=True):
        x = phase(x, u)
    return problem.objective(x, problem.data.targets).imag / 1e-30


@pytest.mark.parametrize("activation", ["tanh", "logistic", "sin"])
@pytest.mark.parametrize("depth", [3, 10, 50])
def test_the_gradient_is_at_rounding_at_any_depth(rng, depth, activation):
    """Widths that change from layer to layer, between one and seven."""
    widths, shape, phases = rng.integers(1, 8, depth), (4,), []
    for k, width in enumerate(map(int, widths)):
        layer = Dense(shape, width, activation, random_bias=True)
        phases.append(Phase(f"layer_{k}", layer))
        shape = (width,)
    data = Data(rng.standard_normal((6, 4)), rng.standard_normal((6, *shape)))
    problem = Problem(tuple(phases), LeastSquares(), data)
    theta = problem.initial_controls(rng)
    _, gradient = problem.value_and_gradient(theta)
    for _ in range(3):
        d = rng.standard_normal(problem.size)
        assert complex_step(problem, theta, d) == pytest.approx(
            gradient @ d, abs=1e-13 * np.linalg.norm(gradient) * np.linalg.norm(d)
        )


def test_the_gradient_through_groups_and_links_is_at_rounding(rng):
    phases = (
        Phase("codes", GroupedDense((6,), (4, 2), (3, 3))),
        Phase("tied", LinkedDense((6,), 2, 2)),
        Phase("out", Dense((4,), 2)),
    )
    data = Data(rng.standard_normal((5, 6)), rng.standard_normal((5, 2)))
    problem = Problem(phases, LeastSquares(), data)
    theta = problem.initial_controls(rng)
    _, gradient = problem.value_and_gradient(theta)
    for k in range(problem.size):
        exact = complex_step(problem, theta, np.eye(problem.size)[k])
        assert exact == pytest.approx(gradient[k], abs=1e-14)


@pytest.mark.parametrize(
    ("distribution", "scale", "deviation"),
    [
        ("normal", 1.0, 1.0),
        ("uniform", 0.5, 0.5 / math.sqrt(3)),
        ("uniform", 0.05, 0.05 / math.sqrt(3)),
    ],
)
def test_three_layers_of_random_weights_multiply_the_norm(distribution, scale, deviation):
    """‖K₃K₂K₁y‖/‖y‖ is about (s √n)³ for entries of deviation s: 1000, 24 and 0.024 for n = 100."""
    rng, n = np.random.default_rng(0), 100
    layer = Dense((n,), n, "identity", bias=False, initialisation=distribution, scale=scale)
    phases = tuple(Phase(f"layer_{k}", layer) for k in range(3))
    y = rng.standard_normal((200, n))
    problem = Problem(phases, LeastSquares(), Data(y, y))
    ratio = [
        np.linalg.norm(problem.output(problem.initial_controls(rng))) / np.linalg.norm(y)
        for _ in range(5)
    ]
    assert np.mean(ratio) == pytest.approx((deviation * math.sqrt(n)) ** 3, rel=0.1)


def gaussian_layers(depth):
    layer = {"kind": "dense", "width": 100, "activation": "identity", "initialisation": "normal"}
    return {
        "title": "A product of Gaussian matrices",
        "dtype": "float32",
        "data": {"kind": "inverse_crime", "samples": 10, "inputs": 100, "outputs": 100},
        "phase": [{"name": f"layer_{k}", "dynamics": layer} for k in range(1, depth + 1)],
        "objective": {"kind": "least_squares"},
        "optimizer": {"kind": "sgd", "batch": 10, "max_iterations": 1, "learning_rate": 1e-30},
    }


@pytest.mark.parametrize("checks", [False, True])
def test_an_overflow_at_the_start_is_a_message(tmp_path, checks):
    """Each layer multiplies by ten: 10³⁹ behind layer 39 is too large for single precision."""
    run = occore.run(gaussian_layers(10), tmp_path / "ten.h5", checks=False)
    assert run.status == "iteration_limit"
    with pytest.raises(
        NonFiniteError, match=r"at the start: the state after phase 'layer_(38|39)'"
    ):
        occore.run(gaussian_layers(40), tmp_path / "forty.h5", checks=checks)
    assert not Path(tmp_path / "forty.h5").exists()
