"""A graph of the samples of another data set, with labels on a few of its nodes.

    [data]
    kind = "graph"
    source = { kind = "digits" }
    neighbours = 10
    labels_per_class = 10

    W_ij = exp(−D_ij/σ) on the edges,    D_ij = ‖x_i − x_j‖²

Without a width, σ is the mean of D over the edges. `scaling = "local"` divides D_ij by the
distances of i and j to their k-th neighbours, so that σ = 1 suits dense and sparse regions
(Zelnik-Manor and Perona 2004). `weights = "binary"` makes D − W the Laplacian of the plain
adjacency matrix.

Which nodes have labels is drawn with the seed of the case. All other classes of the source stay
unknown to the problem; metrics compare with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from occore import Array, Data, DataError, Dataset, Example, is_sparse
from occore_semisupervised.annuli import Annuli
from occore_semisupervised.drawn_labels import drawn_labels
from occore_semisupervised.graph_data import GraphData
from occore_semisupervised.graphs.edges import EdgeKind, edges_of
from occore_semisupervised.graphs.laplacian import (
    LaplacianKind,
    incidence,
    laplacian,
    weight_matrix,
)
from occore_semisupervised.graphs.principal import principal_coordinates


@dataclass(frozen=True)
class Graph(Dataset):
    """One sample: a field (nodes, classes) with the labels; see `GraphData`."""

    source: Annotated[Dataset, Field(description="the data set whose samples are the nodes")]
    edges: Annotated[
        EdgeKind, Field(description="which nodes are joined; union of neighbours by default")
    ] = "knn"
    neighbours: Annotated[int, Field(gt=0, description="k, of each node")] = 10
    radius: Annotated[
        float | None, Field(gt=0, allow_inf_nan=False, description="ε, for epsilon")
    ] = None
    weights: Annotated[
        Literal["gaussian", "binary"], Field(description="exp(−D/σ), or one on every edge")
    ] = "gaussian"
    width: Annotated[
        float | None,
        Field(gt=0, allow_inf_nan=False, description="σ; from the edges where not given"),
    ] = None
    scaling: Annotated[
        Literal["global", "local"],
        Field(description="D as it is, or relative to distances of k-th neighbours"),
    ] = "global"
    laplacian: Annotated[LaplacianKind, Field(description="the kind of Laplacian")] = (
        "combinatorial"
    )
    labels_per_class: Annotated[
        int | None, Field(ge=0, description="nodes of each class with a label; all if not given")
    ] = None
    unknown: Annotated[
        str | None, Field(description="class of the source that stands for: not known")
    ] = None
    validation: Annotated[
        float,
        Field(ge=0, lt=1, description="share of the labels that are fitted but not given"),
    ] = 0.0
    scale: Annotated[
        bool, Field(description="features of the source scaled to deviation one, for distances")
    ] = False

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> GraphData:
        """The graph of all samples of the source.

        Raises DataError where the source has no classes, sparse inputs, or fewer samples of a class
        than labels.
        """
        drawn, chosen = rng.spawn(2)
        source = self.source.load(folders, drawn)
        if is_sparse(source.inputs):
            raise DataError("a graph needs dense inputs, to measure distances; these are sparse")
        points = source.inputs.reshape(source.samples, -1)
        if self.scale:
            deviation = points.std(axis=0)
            points = points / np.where(deviation > 0, deviation, 1.0)
        edges = edges_of(points, self.edges, self.neighbours, self.radius)
        if self.scaling == "local":
            edges = edges.locally_scaled(self.neighbours)
        width = self._width(edges.D)
        weights = np.ones(len(edges.D)) if width is None else np.exp(-edges.D / width)
        truth, names = self._classes(source)
        inputs, targets = drawn_labels(truth, names, self.labels_per_class, self.validation, chosen)
        symmetric = self.laplacian != "random_walk"
        return GraphData(
            inputs[None],
            targets[None],
            digest=source.digest,
            edges=edges,
            width=width,
            kind=self.laplacian,
            laplacian=laplacian(weight_matrix(edges, weights), self.laplacian),
            incidence=incidence(edges, weights, self.laplacian) if symmetric else None,
            truth=truth,
            names=names,
            places=_places(points),
        )

    def _width(self, D: Array) -> float | None:
        if self.weights == "binary":
            return None
        if self.width is not None:
            return self.width
        return 1.0 if self.scaling == "local" else float(np.mean(D)) or 1.0

    def _classes(self, source: Data) -> tuple[Array, tuple[str, ...]]:
        """The class of each node, −1 where unknown, and the names of the classes."""
        if source.classes is None:
            raise DataError("the source of a graph needs classes; this one has none")
        truth, names = np.argmax(source.targets, axis=1), source.classes
        if self.unknown is None:
            return truth, names
        if self.unknown not in names:
            raise DataError(f"no class {self.unknown!r}. Known: {', '.join(names)}")
        place = names.index(self.unknown)
        known = np.where(truth == place, -1, truth - (truth > place))
        return known, tuple(name for name in names if name != self.unknown)

    @classmethod
    def example(cls) -> Example:
        """900 nodes in 3 classes are one sample, by hand."""
        return Example(cls(source=Annuli(), labels_per_class=3), value=(1, 900, 3))


def _places(points: Array) -> Array:
    """(n, 2): the points themselves in the plane, else their leading principal coordinates."""
    if points.shape[1] == 2:
        return points.astype(np.float32)
    places = principal_coordinates(points, 2)
    return np.pad(places, ((0, 0), (0, 2 - places.shape[1])))
