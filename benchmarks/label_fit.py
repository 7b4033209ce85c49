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
    return Idx(IMAGES, LABELS, nodes).load((folder(),), np.random.default_rng(0))


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
    from sklearn.semi_supervised import LabelSpreading

    data = digits(NODES)
    begin = time.perf_counter()
    ours = graph(data)
    labels = fit(ours)
    seconds = time.perf_counter() - begin
    hidden = ~ours.labelled
    y = np.where(hidden, -1, ours.truth)

    def spreading(kernel: object) -> np.ndarray:
        # its neighbours of a point begin with the point itself
        model = LabelSpreading(kernel=kernel, n_neighbors=NEIGHBOURS + 1)  # pyright: ignore
        return model.fit(data.inputs, y).transduction_

    def error(found: np.ndarray) -> str:
        return f"{100 * np.mean(found[hidden] != ours.truth[hidden]):.1f} %"

    begin = time.perf_counter()
    theirs = spreading("knn")
    peer_seconds = time.perf_counter() - begin
    adjacency = weight_matrix(ours.edges, np.ones(len(ours.edges.D)))
    some = (
        NearestNeighbors(n_neighbors=NEIGHBOURS + 1)
        .fit(data.inputs)
        .kneighbors(data.inputs[:SAMPLE], return_distance=False)[:, 1:]
    )
    rows = np.repeat(np.arange(SAMPLE), NEIGHBOURS)
    assert np.all(adjacency[rows, some.ravel()] == 1)  # noqa: S101
    work, name = f"{NODES:,} digits, 100 labels", "scikit-learn LabelSpreading, knn"
    told = f"neighbours of {SAMPLE} nodes; error {error(labels)}, peer {error(theirs)}"
    once = seconds / peer_seconds
    ratio = (once, once, once)
    whole = Row(f"{work}: pixels to labels", name, seconds, peer_seconds, ratio, told)
    again = spreading(lambda a, b: adjacency)
    told = f"one graph; error {error(labels)}, peer {error(again)}"
    alone = compare(
        f"{work}: from the graph",
        name,
        lambda: fit(ours),
        lambda: spreading(lambda a, b: adjacency),
        told,
        3,
    )
    return [whole, alone], []


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
    wrong = np.mean(found[~ours.labelled] != ours.truth[~ours.labelled])
    print(f"{nodes:,} nodes, {len(ours.edges.D):,} edges: {100 * wrong:.1f} % error")
    print(f"files {loaded - begin:.1f} s, graph {built - loaded:.1f} s, fit {end - built:.1f} s")
    print(f"peak of memory {megabytes():.0f} MB")


if __name__ == "__main__":
    main()
