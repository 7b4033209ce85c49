"""Neighbours, edges, weights and Laplacians, against definitions and the facts of the course."""

import numpy as np
import pytest
import scipy.sparse

from occore import InputError
from occore_semisupervised.graphs import neighbour_blocks
from occore_semisupervised.graphs.connectivity import component_count, components
from occore_semisupervised.graphs.edges import Edges, edges_of
from occore_semisupervised.graphs.laplacian import (
    incidence,
    laplacian,
    node_product,
    weight_matrix,
)
from occore_semisupervised.graphs.neighbours import nearest


def all_squares(points):
    squares = np.sum((points[:, None] - points[None]) ** 2, axis=2)
    np.fill_diagonal(squares, np.inf)
    return squares


@pytest.fixture
def weighted(rng):
    """A random graph of 40 nodes: its edges and weights."""
    edges = edges_of(rng.standard_normal((40, 3)), "knn", 4, None)
    return edges, rng.uniform(0.5, 2.0, len(edges.D))


@pytest.mark.parametrize(("n", "d"), [(200, 2), (200, 15), (200, 16), (300, 300)])
def test_neighbours_are_those_of_all_distances(rng, n, d):
    points = rng.standard_normal((n, d))
    found, squares = nearest(points, 7)
    expected = all_squares(points)
    np.testing.assert_array_equal(found, np.argsort(expected, axis=1)[:, :7])
    np.testing.assert_allclose(squares, np.sort(expected, axis=1)[:, :7], rtol=1e-12)


def test_neighbours_do_not_depend_on_blocks_and_bounds(rng, monkeypatch):
    """Small blocks, pairs and bounds that leave much to the exact distances."""
    points = rng.standard_normal((157, 40)) * np.geomspace(1, 0.1, 40) + 100.0
    expected = all_squares(points)
    small = {"BLOCK": 16, "ENTRIES": 100, "MOST_PAIRS": 1, "COARSE_AXES": 3, "FINE_AXES": 5}
    small["TREE_AXES"] = 2
    for name, value in small.items():
        monkeypatch.setattr(neighbour_blocks, name, value)
    found, _ = nearest(points, 5)
    np.testing.assert_array_equal(found, np.argsort(expected, axis=1)[:, :5])


@pytest.mark.parametrize("scale", [1e-6, 1e3])
def test_neighbours_of_clusters_far_apart(rng, scale):
    """Distances within clusters are a hundred-thousandth of those between: beyond float32."""
    centres = 1000 * rng.standard_normal((4, 30))
    points = scale * (np.repeat(centres, 40, axis=0) + 0.01 * rng.standard_normal((160, 30)))
    found, _ = nearest(points, 5)
    np.testing.assert_array_equal(found, np.argsort(all_squares(points), axis=1)[:, :5])


@pytest.mark.parametrize("d", [2, 20])
def test_copies_are_neighbours_of_each_other_but_none_of_itself(rng, d):
    points = np.repeat(rng.standard_normal((5, d)), 6, axis=0)
    found, squares = nearest(points, 5)
    assert np.all(squares == 0)
    assert np.all(found != np.arange(30)[:, None])
    assert np.all(found // 6 == np.arange(30)[:, None] // 6)
    assert all(len(set(row)) == 5 for row in found.tolist())


def test_too_few_points_for_so_many_neighbours(rng):
    with pytest.raises(InputError, match="5 neighbours of each point need more than 5 points"):
        nearest(rng.standard_normal((5, 2)), 5)


def test_edges_of_each_kind(rng):
    points = rng.standard_normal((60, 2))
    squares = all_squares(points)
    order = np.argsort(squares, axis=1)[:, :3]
    near = np.zeros((60, 60), bool)
    np.put_along_axis(near, order, True, axis=1)
    expected = {
        "knn": near | near.T,
        "mutual_knn": near & near.T,
        "epsilon": squares <= 0.5**2,
        "full": np.isfinite(squares),
    }
    for kind, matrix in expected.items():
        edges = edges_of(points, kind, 3, 0.5)
        np.testing.assert_array_equal(np.stack([edges.i, edges.j]), np.nonzero(np.triu(matrix)))
        np.testing.assert_allclose(edges.D, squares[edges.i, edges.j], rtol=1e-12)


def test_a_graph_of_all_pairs_is_refused_where_it_is_too_large():
    with pytest.raises(
        InputError, match='199,990,000 edges, too many to store; take edges = "knn"'
    ):
        edges_of(np.zeros((20_000, 2)), "full", 1, None)


def test_locally_scaled_distances():
    """Points 0, 1, 3 on a line, one neighbour: scales 1, 1 and 2, so D becomes 1 and 4/2."""
    edges = Edges(3, np.array([0, 1]), np.array([1, 2]), np.array([1.0, 4.0]))
    np.testing.assert_allclose(edges.locally_scaled(1).D, [1.0, 2.0])


def test_the_energy_has_a_factor_one_half(weighted, rng):
    """vᵀLv = ½ Σ_i Σ_j W_ij (v_i − v_j)²: the slide leaves out the ½ and so is off by two."""
    W = weight_matrix(*weighted)
    v = rng.standard_normal(40)
    energy = v @ (laplacian(W) @ v)
    both_orders = np.sum(W.toarray() * (v[:, None] - v[None, :]) ** 2)
    assert abs(energy - both_orders / 2) < 1e-12 * energy
    assert abs(energy - both_orders) > 0.9 * energy  # what the slide states


def test_rows_of_laplacians(weighted):
    W = weight_matrix(*weighted)
    d = W.sum(axis=1)
    ones = np.ones(40)
    assert np.max(np.abs(laplacian(W) @ ones)) < 1e-13
    assert np.max(np.abs(laplacian(W, "random_walk") @ ones)) < 1e-13
    assert np.max(np.abs(laplacian(W, "symmetric") @ np.sqrt(d))) < 1e-13
    expected = np.diag(1 / np.sqrt(d)) @ (np.diag(d) - W.toarray()) @ np.diag(1 / np.sqrt(d))
    np.testing.assert_allclose(laplacian(W, "symmetric").toarray(), expected, atol=1e-14)


@pytest.mark.parametrize("kind", ["combinatorial", "symmetric"])
def test_the_incidence_matrix_is_a_root_of_the_laplacian(weighted, kind):
    B, L = incidence(*weighted, kind), laplacian(weight_matrix(*weighted), kind)
    np.testing.assert_allclose((B.T @ B).toarray(), L.toarray(), atol=1e-13)


def test_the_random_walk_has_no_energy(weighted):
    with pytest.raises(InputError, match="needs a symmetric Laplacian"):
        incidence(*weighted, "random_walk")


def test_a_node_without_edges_is_a_component_of_its_own():
    edges = Edges(3, np.array([0]), np.array([1]), np.array([1.0]))
    W = weight_matrix(edges, np.array([2.0]))
    assert component_count(W) == 2
    for kind in ("combinatorial", "symmetric", "random_walk"):
        L = laplacian(W, kind)
        assert np.all(np.isfinite(L.toarray())) and not L.toarray()[2].any()


@pytest.mark.parametrize("kind", ["combinatorial", "symmetric"])
def test_the_multiplicity_of_zero_is_the_number_of_components(rng, kind):
    parts = [rng.standard_normal((n, 2)) + 100 * k for k, n in enumerate((12, 20, 7))]
    edges = edges_of(np.concatenate(parts), "knn", 3, None)
    W = weight_matrix(edges, np.exp(-edges.D))
    count = component_count(W)
    assert count >= 3
    values = np.linalg.eigvalsh(laplacian(W, kind).toarray())
    assert np.all(np.abs(values[:count]) < 1e-12) and values[count] > 1e-8
    assert len(np.unique(components(W)[:12])) <= count - 2


@pytest.mark.parametrize("samples", [1, 3])
def test_products_of_several_fields(weighted, rng, samples):
    L = laplacian(weight_matrix(*weighted), "random_walk")
    x = rng.standard_normal((samples, 40, 2))
    expected = np.einsum("ij,sjc->sic", L.toarray(), x)
    np.testing.assert_allclose(node_product(L, x), expected, atol=1e-13)
    assert node_product(L, x.astype(np.float32)).dtype == np.float32
    assert scipy.sparse.issparse(L)
