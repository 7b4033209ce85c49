"""Random layer: its weights, and what is left of a chain that begins with one."""

import numpy as np
import pytest
import scipy.sparse

from occore import Data, InputError, dense_least_squares
from occore.structure import spoiler
from occore_classification.newton_cg import NewtonCG
from occore_least_squares.lsqr import LSQR
from occore_least_squares.qr import QR
from occore_least_squares.ridge_path import RidgePath
from occore_least_squares.svd import SVD
from occore_single_layer.dense import Dense
from occore_single_layer.random_layer import RandomLayer

DATA = Data(
    np.random.default_rng(1).standard_normal((30, 4)),
    np.random.default_rng(2).standard_normal((30, 2)),
)


def test_it_is_a_dense_layer_with_frozen_weights():
    layer = RandomLayer((4,), 7, "sin", seed=3)
    dense, x = Dense((4,), 7, "sin"), DATA.inputs
    assert layer.controls.size == 0
    assert np.array_equal(layer(0.0, x, {}), dense(0.0, x, layer.weights))


def test_one_seed_one_layer():
    first, again, other = (RandomLayer((4,), 7, seed=seed).weights for seed in (3, 3, 4))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not any(np.array_equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize(
    ("distribution", "deviation", "largest"),
    [("uniform", 0.5 / np.sqrt(3), 0.5), ("normal", 0.5, np.inf)],
)
def test_the_weights_have_the_distribution(distribution, deviation, largest):
    layer = RandomLayer((100,), 200, "tanh", distribution, 0.5, (0.0, 1.0), 8)
    K, b = layer.weights["K"], layer.weights["b"]
    error = 4 / np.sqrt(K.size)  # four standard errors, in units of the deviation
    assert abs(K.mean()) < error * deviation
    assert abs(K.std() / deviation - 1) < error
    assert np.abs(K).max() <= largest
    assert 0 <= b.min() < 0.05 < 0.95 < b.max() <= 1


@pytest.mark.parametrize(
    "structure", ["linear_least_squares", "dense_least_squares", "linear_model"]
)
def test_a_linear_layer_behind_it_is_all_there_is_to_solve(extreme_learning, structure):
    problem = extreme_learning(RandomLayer((4,), 7), DATA, weight=0.1, bias=True)
    assert spoiler(problem, structure) is None


def test_the_matrix_is_that_of_the_features(extreme_learning):
    layer = RandomLayer((4,), 7)
    system = dense_least_squares(extreme_learning(layer, DATA))
    assert np.array_equal(system.A, layer(0.0, DATA.inputs, {}))
    assert np.array_equal(system.B, DATA.targets)


@pytest.mark.parametrize(
    "optimizer",
    [
        QR(),
        SVD(),
        LSQR(tolerance=1e-12),
        NewtonCG(tolerance=1e-11),
        RidgePath(smallest=1.0, largest=2.0, points=2, choose="leave_one_out"),
    ],
    ids=lambda optimizer: type(optimizer).__name__,
)
def test_linear_solvers_agree_with_the_normal_equations(extreme_learning, solve, optimizer):
    layer = RandomLayer((4,), 7)
    problem = extreme_learning(layer, DATA, weight=0.1)
    theta = solve(optimizer, problem)
    weight = 0.1
    if isinstance(optimizer, RidgePath):
        state = optimizer.step(problem, theta, optimizer.init(problem, theta))[1]
        weight *= state.lambdas[state.chosen]
    H = layer(0.0, DATA.inputs, {})
    W = np.linalg.solve(H.T @ H + weight * np.eye(7), H.T @ DATA.targets).T
    np.testing.assert_allclose(theta.reshape(2, 7), W, rtol=1e-9, atol=1e-9)


def test_the_features_are_computed_once(extreme_learning, solve, monkeypatch):
    calls = []
    forward = Dense.__call__
    monkeypatch.setattr(
        Dense, "__call__", lambda self, t, x, u: calls.append(len(x)) or forward(self, t, x, u)
    )
    problem = extreme_learning(RandomLayer((4,), 7), DATA, weight=0.1)
    solve(LSQR(tolerance=1e-12), problem)
    solve(QR(), problem)
    assert problem.counts.tangent > 5
    assert calls == [30]


def test_single_precision_and_sparse_inputs():
    layer = RandomLayer((4,), 7, "tanh")
    assert layer(0.0, DATA.inputs.astype(np.float32), {}).dtype == np.float32
    sparse = scipy.sparse.csr_array(np.where(DATA.inputs > 0, DATA.inputs, 0))
    np.testing.assert_allclose(layer(0.0, sparse, {}), layer(0.0, sparse.toarray(), {}), atol=1e-14)


def test_pictures_are_refused():
    with pytest.raises(InputError, match='"flatten"'):
        RandomLayer((8, 8), 7)


@pytest.mark.parametrize("bounds", [(1.0, 0.0), (0.0, np.inf), (np.nan, 1.0)])
def test_what_is_no_range_is_refused(bounds):
    with pytest.raises(InputError, match=r"bias_range = \[.*\] is no range"):
        RandomLayer((4,), 7, bias_range=bounds)
