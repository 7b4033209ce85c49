"""Heat flow on a graph: what it keeps, where it goes, and how accurately it is integrated."""

import numpy as np
import pytest
import scipy.linalg

import occore
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.discretizations.backward_euler import BackwardEuler
from occore_continuous.discretizations.sdirk2 import SDIRK2
from occore_continuous.discretizations.sdirk3 import SDIRK3
from occore_semisupervised.graph_diffusion import GraphDiffusion
from occore_semisupervised.graphs.connectivity import components
from occore_semisupervised.graphs.edges import edges_of
from occore_semisupervised.graphs.laplacian import laplacian, weight_matrix


@pytest.fixture
def parts(rng):
    """Laplacian of a graph in two parts, of 25 and 15 points."""
    points = np.concatenate([rng.standard_normal((25, 2)), 50 + rng.standard_normal((15, 2))])
    edges = edges_of(points, "knn", 6, None)
    L = laplacian(weight_matrix(edges, np.exp(-edges.D)))
    assert components(L).max() == 1
    return L


def flow(L, x, method, steps, horizon):
    phase = occore.Phase("heat", GraphDiffusion(L), method, steps, horizon, space=Constant())
    return phase(x, {})


def exponential(L, x, t):
    """e^(−tL) x in the eigenbasis."""
    values, V = scipy.linalg.eigh(L.toarray())
    return np.einsum("ik,k,jk,sjc->sic", V, np.exp(-t * values), V, x)


def test_heat_is_conserved_and_levels_out_on_each_component(parts, rng):
    x = rng.standard_normal((2, 40, 3))
    y = flow(parts, x, SDIRK2(), 60, 1e4)
    np.testing.assert_allclose(y.sum(axis=1), x.sum(axis=1), rtol=1e-10, atol=1e-10)
    for component in (slice(0, 25), slice(25, 40)):
        mean = x[:, component].mean(axis=1, keepdims=True)
        np.testing.assert_allclose(
            y[:, component], np.broadcast_to(mean, y[:, component].shape), atol=1e-6
        )


@pytest.mark.parametrize("method", [BackwardEuler(), SDIRK2(), SDIRK3()], ids=repr)
def test_the_integrated_phase_is_the_exponential_to_its_order(parts, rng, method):
    x = rng.standard_normal((1, 40, 2))
    exact = exponential(parts, x, 0.5)
    errors = [np.linalg.norm(flow(parts, x, method, n, 0.5) - exact) for n in (20, 40, 80)]
    slope = np.polyfit(np.log([20, 40, 80]), np.log(errors), 1)[0]
    assert -slope == pytest.approx(method.order, abs=0.1)


def test_random_walk_conserves_heat_weighted_by_degrees(parts, rng):
    W = scipy.sparse.diags_array(parts.diagonal()) - parts
    d = W.sum(axis=1)
    x = rng.standard_normal((1, 40, 1))
    y = flow(laplacian(W, "random_walk"), x, SDIRK2(), 20, 3.0)
    assert np.sum(d * y[0, :, 0]) == pytest.approx(np.sum(d * x[0, :, 0]), rel=1e-10)


def test_other_data_are_refused():
    with pytest.raises(occore.InputError, match=r'set data\.kind = "graph"'):
        GraphDiffusion().for_data(occore.Data(np.zeros((3, 2))))
