"""Eigensolvers: the same subspaces by every method, and what they say of a graph."""

import numpy as np
import pytest

from occore import ComputationError, InputError
from occore_semisupervised.eigen import METHODS, inverse_iteration, largest_angle, randomised
from occore_semisupervised.eigen.eigenpairs import Eigenpairs
from occore_semisupervised.eigen.inverse_iteration import pseudo_inverse
from occore_semisupervised.graphs.connectivity import component_count, fiedler
from occore_semisupervised.graphs.edges import edges_of
from occore_semisupervised.graphs.laplacian import laplacian, weight_matrix


def graph(points, kind="combinatorial", k=8):
    edges = edges_of(points, "knn", k, None)
    return laplacian(weight_matrix(edges, np.exp(-edges.D / np.mean(edges.D))), kind)


@pytest.fixture(scope="module")
def connected():
    """A connected graph of 400 points in the unit square."""
    L = graph(np.random.default_rng(3).uniform(size=(400, 2)))
    assert component_count(L) == 1
    return L


@pytest.fixture(scope="module")
def apart():
    """A graph in three parts, of 120 points each."""
    points = (
        np.random.default_rng(4).standard_normal((3, 120, 2)) + 50 * np.arange(3)[:, None, None]
    )
    L = graph(points.reshape(-1, 2))
    assert component_count(L) == 3
    return L


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["connected", "apart"])
def test_every_method_finds_the_smallest_eigenpairs(method, name, request, rng):
    """Compared as subspaces: within one eigenspace vectors are arbitrary.

    The angle is at most the residual over the gap (Davis and Kahan), with a factor 10 to spare.
    """
    if method == "lobpcg_amg":
        pytest.importorskip("pyamg")
    L = request.getfixturevalue(name)
    values, vectors = np.linalg.eigh(L.toarray())
    found = METHODS[method](L, 5, rng)
    scale, gap = values[-1], values[5] - values[4]
    assert np.max(found.residuals) < 1e-8 * scale
    np.testing.assert_allclose(found.values, values[:5], atol=1e-12 * scale)
    assert largest_angle(found.vectors, vectors[:, :5]) < 10 * np.max(found.residuals) / gap + 1e-10
    np.testing.assert_allclose(found.vectors.T @ found.vectors, np.eye(5), atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_generator_gives_the_same_bits(method, apart):
    if method == "lobpcg_amg":
        pytest.importorskip("pyamg")
    before = str(np.random.get_state())  # noqa: NPY002 - to see that nobody uses it
    first, second = (METHODS[method](apart, 4, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first.vectors, second.vectors)
    assert str(np.random.get_state()) == before  # noqa: NPY002


@pytest.mark.parametrize("method", METHODS)
def test_all_pairs_of_a_small_matrix(method, rng):
    if method == "lobpcg_amg":
        pytest.importorskip("pyamg")
    L = graph(rng.standard_normal((6, 2)), k=2)
    found = METHODS[method](L, 6, rng)
    np.testing.assert_allclose(found.values, np.linalg.eigvalsh(L.toarray()), atol=1e-12)
    with pytest.raises(InputError, match="7 eigenpairs are asked for; the matrix has 6"):
        METHODS[method](L, 7, rng)


def test_a_dense_solver_is_refused_for_large_graphs(connected, rng, monkeypatch):
    monkeypatch.setitem(METHODS["dense"].__globals__, "MOST_NODES", 399)
    with pytest.raises(InputError, match="at most 399 nodes; this graph has 400"):
        METHODS["dense"](connected, 2, rng)


@pytest.mark.parametrize("method", [inverse_iteration, randomised])
def test_what_does_not_converge_says_so(method, connected, rng, monkeypatch):
    monkeypatch.setitem(method.__globals__, "MOST_ITERATIONS", 1)
    with pytest.raises(ComputationError, match="left residuals of"):
        method(connected, 5, rng)


@pytest.mark.parametrize("kind", ["combinatorial", "symmetric"])
def test_the_pseudo_inverse(kind, rng):
    points = np.concatenate([rng.standard_normal((20, 2)), 50 + rng.standard_normal((15, 2))])
    L = graph(points, kind, k=4)
    N, apply = pseudo_inverse(L)
    dense = np.linalg.pinv(L.toarray(), rcond=1e-10)
    np.testing.assert_allclose(apply(np.eye(35)), dense, atol=1e-9 * np.abs(dense).max())
    np.testing.assert_allclose(L @ N, 0, atol=1e-12)


def test_residuals_bound_the_distance_to_an_eigenvalue(connected, rng):
    """Parlett 1998, 4.5: for any vector, not only for good ones."""
    values = np.linalg.eigvalsh(connected.toarray())
    rough = Eigenpairs.of(connected, rng.standard_normal((400, 6)))
    for value, residual in zip(rough.values, rough.residuals, strict=True):
        assert np.min(np.abs(values - value)) <= residual


def test_the_fiedler_vector_cuts_a_dumbbell_at_its_bar(rng):
    points = np.concatenate([rng.standard_normal((40, 2)), 6 + rng.standard_normal((40, 2))])
    edges = edges_of(points, "full", 1, None)
    L = laplacian(weight_matrix(edges, np.exp(-edges.D)))
    value, vector = fiedler(L, rng)
    assert 0 < value < 1e-2
    assert abs(np.sum(np.sign(vector[:40]))) == 40
    assert np.all(np.sign(vector[:40]) == -np.sign(vector[40:]))


def test_the_second_eigenvalue_is_zero_then_small_then_large(annuli, rng):
    """The course: 1.9e-15 for a graph in parts, 8.7e-3 for one of neighbours, 0.4 for all pairs.

    Its digits belong to its own points; the pattern is what counts.
    """
    options = {"weights": "binary", "laplacian": "symmetric"}
    parts = fiedler(annuli(0, neighbours=5, **options).laplacian, rng)[0]
    joined = fiedler(annuli(0, neighbours=40, **options).laplacian, rng)[0]
    full = fiedler(annuli(0, edges="full", laplacian="symmetric").laplacian, rng)[0]
    assert abs(parts) < 1e-12
    assert 1e-4 < joined < 0.1
    assert full > 0.2
