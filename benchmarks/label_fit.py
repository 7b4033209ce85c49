"""Labels for MNIST from ten a class, beside scikit-learn's LabelSpreading with as many neighbours.

    OCCORE_DATA=FOLDER python -m benchmarks label_fit       FOLDER holds mnist/

The whole task goes from pixels to labels; the fit alone starts from one graph for both. Neighbours
are compared, and error rates are told. `python -m benchmarks.label_fit NODES` solves the task once
in a process of its own and prints the peak of its memory.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import occore
from benchmarks.harness import Row, compare, installed
from benchmarks.long_march import megabytes
from occore_least_squares.datasets.idx import Idx
from occore_semisupervised.cg import CG
from occore_semisupervised.graph import Graph
from occore_semisupervised.graph_data import GraphData
from occore_semisupervised.graph_energy import GraphEnergy
from occore_semisupervised.graphs.laplacian import weight_matrix
from occore_semisupervised.label_fit import LabelFit
from occore_semisupervised.node_field import NodeField

NODES, NEIGHBOURS, ALPHA = 60_000, 10, 0.1
PEER = "scikit-learn LabelSpreading"
IMAGES = "mnist/train-images-idx3-ubyte.gz"
LABELS = "mnist/train-labels-idx1-ubyte.gz"
SAMPLE = 200
"""Nodes whose neighbours are compared with the peer's."""


class Loaded(occore.Dataset):
    """Data that are in memory already, so that reading files is nobody's time."""

    def __init__(self, data: occore.Data) -> None:
        self.data = data

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> occore.Data:
        """The data."""
        return self.data


def digits(nodes: int) -> occore.Data:
    """The first MNIST digits."""
    return Idx(IMAGES, LABELS, samples=nodes).load((folder(),), np.random.default_rng(0))


def folder() -> Path:
    """The folder that holds mnist/."""
    return Path(os.environ.get("OCCORE_DATA", "."))


def graph(data: occore.Data) -> GraphData:
    """The graph of ten neighbours, ten labels a class."""
    dataset = Graph(
        Loaded(data),
        neighbours=NEIGHBOURS,
        labels_per_class=10,
        scaling="local",
        width=0.25,
        laplacian="symmetric",
    )
    return dataset.load((), np.random.default_rng(7)).astype(np.dtype(np.float32))


def fit(data: GraphData) -> np.ndarray:
    """The class of each node."""
    phases = (occore.Phase("field", NodeField(data.inputs.shape[1:])),)
    energy = GraphEnergy().for_phases(phases).for_data(data)
    problem = occore.Problem(phases, LabelFit() + ALPHA * energy, data)
    optimizer, theta = CG(tolerance=1e-3), np.zeros(problem.size)
    state = optimizer.init(problem, theta)
    while optimizer.finished(problem, theta, state) is None:
        theta, state = optimizer.step(problem, theta, state)
    return np.argmax(theta.reshape(data.inputs.shape[1:]), axis=1)


def measure() -> tuple[list[Row], list[str]]:
    """The whole task once, since the peer takes minutes; the fit from one graph three times."""
    if not installed("sklearn"):
        return [], ["scikit-learn"]
    if not (folder() / IMAGES).is_file():
        return [], ["MNIST, for which OCCORE_DATA must name a folder"]
    from sklearn.neighbors import NearestNeighbors

    data = digits(NODES)
    begin = time.perf_counter()
    ours = graph(data)
    labels = fit(ours)
    middle = time.perf_counter()
    theirs = spreading(ours, data, "knn", 0.2)
    seconds, peer_seconds = middle - begin, time.perf_counter() - middle
    some = (
        NearestNeighbors(n_neighbors=NEIGHBOURS + 1)
        .fit(data.inputs)
        .kneighbors(data.inputs[:SAMPLE], return_distance=False)[:, 1:]
    )
    rows = np.repeat(np.arange(SAMPLE), NEIGHBOURS)
    assert np.all(adjacency(ours)[rows, some.ravel()] == 1)  # noqa: S101
    once = seconds / peer_seconds
    told = f"neighbours of {SAMPLE} nodes; error {error(ours, labels)}, peer {error(ours, theirs)}"
    whole = Row(
        f"{NODES:,} digits, 100 labels: pixels to labels",
        PEER,
        seconds,
        peer_seconds,
        (once, once, once),
        told,
    )
    return [whole, *fits(ours, data)], []


def fits(ours: GraphData, data: occore.Data) -> list[Row]:
    """The fit from one graph: the peer as it comes, and with as few errors as it can."""
    matrix, labels = adjacency(ours), fit(ours)
    rows = []
    for alpha in (0.2, 0.99):

        def peer(alpha: float = alpha) -> np.ndarray:
            return spreading(ours, data, lambda a, b: matrix, alpha)

        told = f"one graph; error {error(ours, labels)}, peer {error(ours, peer())}"
        work = f"{data.samples:,} digits, 100 labels: from the graph"
        rows.append(compare(work, f"{PEER}, alpha {alpha}", lambda: fit(ours), peer, told, 3))
    return rows


def spreading(ours: GraphData, data: occore.Data, kernel: object, alpha: float) -> np.ndarray:
    """The peer's class of each node, iterated until it changes no more."""
    from sklearn.semi_supervised import LabelSpreading

    y = np.where(ours.labelled, ours.truth, -1)
    # its neighbours of a point begin with the point itself
    model = LabelSpreading(
        kernel=kernel,  # pyright: ignore[reportArgumentType]
        n_neighbors=NEIGHBOURS + 1,
        alpha=alpha,
        max_iter=2000,
    )
    return model.fit(data.inputs, y).transduction_


def adjacency(ours: GraphData) -> Any:
    """The graph as the peer takes it, with weights one, as its own have."""
    return weight_matrix(ours.edges, np.ones(len(ours.edges.D)))


def error(ours: GraphData, found: np.ndarray) -> str:
    """The share of nodes without a label that are in the wrong class."""
    hidden = ~ours.labelled
    return f"{100 * np.mean(found[hidden] != ours.truth[hidden]):.1f} %"


def main() -> None:
    """The task once, with its time and memory."""
    nodes = int(sys.argv[1]) if len(sys.argv) > 1 else NODES
    begin = time.perf_counter()
    data = digits(nodes)
    loaded = time.perf_counter()
    ours = graph(data)
    built = time.perf_counter()
    found = fit(ours)
    end = time.perf_counter()
    print(f"{nodes:,} nodes, {len(ours.edges.D):,} edges: error {error(ours, found)}")
    print(f"files {loaded - begin:.1f} s, graph {built - loaded:.1f} s, fit {end - built:.1f} s")
    print(f"peak of memory {megabytes():.0f} MB")


if __name__ == "__main__":
    main()
