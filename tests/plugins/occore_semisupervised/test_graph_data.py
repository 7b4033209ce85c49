"""The graph as a data set, what it refuses, and what a run shows of it."""

import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest
import scipy.sparse

import occore
from occore.case.complaints import CaseError
from occore.plotting import figure_for
from occore_least_squares.datasets.npz import Npz
from occore_semisupervised.annuli import Annuli
from occore_semisupervised.graph import Graph
from occore_semisupervised.graph_energy import GraphEnergy
from occore_semisupervised.node_field import NodeField

CASE = {
    "title": "Annuli",
    "seed": 1,
    "data": {
        "kind": "graph",
        "source": {"kind": "annuli", "points": 40},
        "neighbours": 6,
        "labels_per_class": 3,
    },
    "phase": [{"name": "field", "dynamics": {"kind": "node_field"}}],
    "objective": {"kind": "label_fit", "penalty": [{"kind": "graph_energy", "weight": 0.1}]},
    "optimizer": {"kind": "cg"},
}


def with_(settings, case=CASE):
    return occore.load_case(case, settings=settings)


def test_annuli_lie_in_their_rings(rng):
    data = Annuli().load((), rng)
    radius, ring = np.linalg.norm(data.inputs, axis=1), np.argmax(data.targets, axis=1)
    assert np.all(radius >= 2 * ring) and np.all(radius <= 2 * ring + 1)
    np.testing.assert_array_equal(np.bincount(ring), [300, 300, 300])


def test_labels_are_drawn_for_each_class(annuli):
    data = annuli(0)
    assert data.inputs.shape == (1, 900, 3)
    np.testing.assert_array_equal(data.targets[0].sum(axis=0), [3, 3, 3])
    chosen = data.targets[0].any(axis=1)
    np.testing.assert_array_equal(np.argmax(data.targets[0][chosen], axis=1), data.truth[chosen])
    assert not np.array_equal(annuli(1).targets, data.targets)


def test_validation_labels_are_fitted_but_not_given(annuli):
    data = annuli(0, labels_per_class=10, validation=0.4)
    given, fitted = data.inputs[0].any(axis=1), data.targets[0].any(axis=1)
    assert (given.sum(), fitted.sum()) == (18, 12)
    assert not np.any(given & fitted)
    assert data.labelled.sum() == 30


def test_a_class_may_stand_for_unknown(rng, tmp_path):
    np.savez(
        tmp_path / "points.npz",
        inputs=rng.standard_normal((30, 2)),
        labels=np.array(["a", "?", "b"] * 10),
    )
    source = Npz("points.npz", inputs="inputs", targets="labels")
    data = Graph(source, neighbours=3, unknown="?").load((tmp_path,), rng)
    assert data.names == ("a", "b")
    np.testing.assert_array_equal(data.truth[:3], [0, -1, 1])
    np.testing.assert_array_equal(data.labelled[:3], [True, False, True])


def test_binary_weights_give_the_laplacian_of_the_adjacency_matrix(annuli):
    data = annuli(0, weights="binary")
    degrees = np.bincount(np.concatenate([data.edges.i, data.edges.j]))
    np.testing.assert_array_equal(data.laplacian.diagonal(), degrees)


def test_a_graph_cannot_be_taken_apart(annuli):
    data = annuli(0)
    assert data.subset(np.array([0])) is data
    with pytest.raises(occore.InputError, match="choose an optimizer without mini-batches"):
        data.subset(np.arange(10))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["data.held_out=0.5"], "data.held_out: the data are one sample"),
        (["data.labels_per_class=41"], "41 labels of class '0', which has 40 nodes"),
        (["data.source.kind=diabetes"], "data.source.points: unknown key"),
        (["data.laplacian=random_walk"], "penalty[0]: needs a symmetric Laplacian"),
        (["data.edges=epsilon"], 'edges = "epsilon" needs the radius'),
        (["data.neighbours=200"], "200 neighbours of each point need more than 200 points"),
        (["data.unknown=9"], "data.unknown: "),
        (['optimizer.kind="qr"'], "Optimizers that would do: "),
    ],
)
def test_what_is_wrong_has_its_place(settings, message):
    with pytest.raises(CaseError) as caught:
        with_(settings).build()
    assert message in str(caught.value)


@dataclass(frozen=True)
class Sparse(occore.Dataset):
    """Two classes, with sparse inputs."""

    def load(self, folders, rng):
        return occore.Data(
            scipy.sparse.eye_array(4, format="csr"), np.eye(2)[[0, 1, 0, 1]], ("a", "b")
        )


def test_a_source_with_sparse_inputs_is_refused(rng):
    with pytest.raises(occore.DataError, match="a graph needs dense inputs"):
        Graph(Sparse()).load((), rng)


def test_a_source_without_classes_is_refused():
    case = {**CASE, "data": {"kind": "graph", "source": {"kind": "diabetes"}}}
    with pytest.raises(CaseError, match="the source of a graph needs classes"):
        with_([], case).build()


def test_a_field_and_its_energy_need_a_graph():
    case = {**CASE, "data": {"kind": "iris"}}
    with pytest.raises(CaseError, match=r"a node field takes the labels of a graph"):
        with_([], case).build()
    with pytest.raises(
        occore.InputError, match=r'needs the nodes of a graph: set data\.kind = "gra'
    ):
        GraphEnergy().for_data(occore.Data(np.zeros((3, 2))))
    with pytest.raises(occore.InputError, match=r'dynamics = \{ kind = "node_field" \}'):
        GraphEnergy().for_phases(())
    assert NodeField((3, 2)).controls.shapes == {"f": (3, 2)}


def test_an_interrupted_run_goes_on_to_the_same_bits(tmp_path):
    whole = occore.run(with_(["run.checkpoint_every=2"]), tmp_path / "whole.h5", checks=False)
    part = with_(["optimizer.max_iterations=4"])
    occore.run(part, tmp_path / "part.h5", checks=False)
    again = occore.resume(tmp_path / "part.h5", settings=["optimizer.max_iterations=2000"])
    np.testing.assert_array_equal(again["controls/field/f"], whole["controls/field/f"])


@pytest.mark.parametrize(
    ("settings", "title"),
    [
        ([], "class by the field; stars have labels"),
        (
            [
                "phase.field.dynamics.kind=label_propagation",
                "run.record=['trajectory']",
                "optimizer.kind=lbfgs",
                "objective.penalty=[]",
            ],
            "class by the state at the end; stars have labels",
        ),
    ],
)
def test_the_figure_of_a_run_shows_its_nodes(tmp_path, settings, title):
    run = occore.run(with_(settings), tmp_path / "run.h5", checks=False)
    assert run["data/places"].shape == (120, 2)
    assert list(run["data/names"]) == ["0", "1", "2"]
    panels = figure_for(run).subfigs
    (axes,) = panels[1].axes
    assert axes.get_title() == title
    assert len(axes.collections) == 4  # three classes and the labelled nodes
    assert sum(len(c.get_offsets()) for c in axes.collections[:3]) == 120


def test_other_runs_are_drawn_as_before(tmp_path):
    run = occore.run("cases/02_least_squares/diabetes.toml", tmp_path / "run.h5", checks=False)
    assert "data" not in {row.path for row in run.tree()}
    assert figure_for(run).axes


def test_no_array_of_nodes_by_nodes(rng, tmp_path, fitted, minimise):
    """6000 nodes with 40 features: a matrix of all pairs would take 288 MB; stay below 60 MB.

    Features take 2 MB, the graph some 70,000 edges, and each of four threads 10 MB at most.
    """
    from occore_semisupervised.cg import CG

    truth = rng.integers(0, 3, 6000)
    points = rng.standard_normal((6000, 40)) + 3 * np.eye(3, 40)[truth]
    np.savez(tmp_path / "points.npz", inputs=points, labels=truth)
    source = Npz("points.npz", inputs="inputs", targets="labels", task="classification")
    tracemalloc.start()
    try:
        data = Graph(source, labels_per_class=10).load((tmp_path,), rng)
        minimise(CG(tolerance=1e-3), fitted(data))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 60e6
