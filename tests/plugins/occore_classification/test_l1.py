"""ℓ1: the proximal map, the conditions of optimality, what smooth optimizers say."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import occore
from occore import Data, Phase, Problem, Status
from occore.structure import spoiler
from occore_classification.fista import FISTA
from occore_classification.l1 import L1, soft_threshold
from occore_classification.proximal_gradient import ProximalGradient
from occore_classification.softmax_cross_entropy import SoftmaxCrossEntropy
from occore_least_squares.linear import Linear
from tests.plugins.occore_classification.conftest import bundled, solve

WEIGHT = 0.02


@pytest.fixture(scope="module")
def problem():
    X, C, _ = bundled("iris")
    objective = SoftmaxCrossEntropy() + WEIGHT * L1(controls=("W",))
    return Problem((Phase("fit", Linear((4,), 3)),), objective, Data(X, C))


def test_soft_thresholding_minimises(rng):
    """s |u| + ½ (u − v)² on a fine grid."""
    grid = np.linspace(-4, 4, 8001)
    for v, s in rng.uniform([-2, 0], [2, 4], (20, 2)):
        best = grid[np.argmin(s * np.abs(grid) + (grid - v) ** 2 / 2)]
        assert abs(float(soft_threshold(np.array(v), s)) - best) <= 1e-3
    assert soft_threshold(np.array([0.5, -0.5, 3.0, -3.0]), 1.0).tolist() == [0.0, -0.0, 2.0, -2.0]


def test_only_named_controls_are_thresholded():
    v = {"fit": {"W": np.array([[0.5, 3.0]]), "b": np.array([0.5])}}
    moved = L1(controls=("W",)).proximal(v, 1.0)["fit"]
    assert moved["W"].tolist() == [[0.0, 2.0]]
    assert moved["b"].tolist() == [0.5]


@pytest.mark.parametrize(
    "optimizer",
    [
        FISTA(tolerance=1e-9, max_iterations=3000),
        ProximalGradient(tolerance=1e-6, max_iterations=9000),
    ],
    ids=["fista", "proximal_gradient"],
)
def test_the_conditions_of_optimality_hold(problem, optimizer):
    """∂f/∂W_j = −λ sign(W_j) where W_j ≠ 0, at most λ in size where it is zero; ∂f/∂b = 0."""
    theta, _, status = solve(optimizer, problem)
    assert status is Status.CONVERGED
    W = problem.unflatten(theta)["fit"]["W"]
    gradient = problem.unflatten(problem.smooth_part.value_and_gradient(theta)[1])["fit"]
    zero = W == 0
    assert 2 <= zero.sum() <= 10
    small = 1e3 * optimizer.tolerance  # ‖W‖ and the Lipschitz constant are of the order of ten
    assert_allclose(gradient["W"][~zero], -WEIGHT * np.sign(W[~zero]), atol=small)
    assert np.all(np.abs(gradient["W"][zero]) <= WEIGHT + small)
    assert_allclose(gradient["b"], 0, atol=small)


def test_momentum_saves_iterations(problem):
    """To the same prox-gradient norm."""
    fast = solve(FISTA(tolerance=1e-5, max_iterations=9000), problem)[1]
    slow = solve(ProximalGradient(tolerance=1e-5, max_iterations=9000), problem)[1]
    assert fast.iteration < 0.5 * slow.iteration
    assert_allclose(fast.value, slow.value, rtol=1e-5)


def test_a_large_penalty_leaves_only_the_bias():
    X, C, _ = bundled("iris")
    objective = SoftmaxCrossEntropy() + 10.0 * L1(controls=("W",))
    big = Problem((Phase("fit", Linear((4,), 3)),), objective, Data(X, C))
    theta, _, _ = solve(FISTA(), big)
    assert np.all(big.unflatten(theta)["fit"]["W"] == 0)


def test_structures(problem):
    assert "L1 has kinks" in (spoiler(problem, "smooth") or "")
    assert spoiler(problem, "composite") is None
    assert spoiler(problem.smooth_part, "smooth") is None
    twice = Problem(problem.phases, problem.objective + 1.0 * L1(), problem.data)
    assert "no proximal map of their sum" in (spoiler(twice, "composite") or "")
    negative = Problem(problem.phases, SoftmaxCrossEntropy() + -1.0 * L1(), problem.data)
    assert "negative weight" in (spoiler(negative, "composite") or "")


def test_a_case_names_optimizers_that_would_do():
    case = occore.load_case(
        "cases/03_classification/iris_l1.toml", settings=["optimizer={kind='lbfgs'}"]
    )
    with pytest.raises(occore.InputError, match=r"L1 has kinks\. .* fista, .*proximal_gradient"):
        case.build()
