"""The data of a problem on a graph: all nodes are one sample, whose state is a field on them.

    inputs   (1, n, classes)   the labels that a model is given: one-hot rows, zeros where unknown
    targets  (1, n, classes)   the labels that are fitted, in the same form

Nodes see each other through the graph, so they cannot be the samples of a batch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from occore import Array, Data, InputError
from occore_semisupervised.graphs.edges import Edges
from occore_semisupervised.graphs.laplacian import LaplacianKind


@dataclass(frozen=True, kw_only=True)
class GraphData(Data):
    """A graph with labels on some of its nodes.

    edges: with D scaled if that was asked for. width: σ of the weights exp(−D/σ), or None where all
    are one. laplacian: of this kind, sparse (n, n). incidence: B with BᵀB = L, or None for the
    random walk. truth: (n,) the class of each node, labelled or not; −1 where nobody knows. names:
    of the classes. places: (n, 2), where a figure draws the nodes.
    """

    edges: Edges
    width: float | None
    kind: LaplacianKind
    laplacian: Any
    incidence: Any
    truth: Array
    names: tuple[str, ...]
    places: Array

    @property
    def labelled(self) -> Array:
        """(n,): whether a node has a label, given or fitted."""
        return (self.inputs[0].any(axis=1)) | (self.targets[0].any(axis=1))

    def subset(self, indices: Array) -> GraphData:
        """The data themselves: they are one sample. Raises InputError for any other subset."""
        if np.asarray(indices).tolist() != [0]:
            raise InputError(
                "the nodes of a graph are one sample and cannot be taken apart: choose an "
                "optimizer without mini-batches"
            )
        return self

    def astype(self, dtype: np.dtype) -> GraphData:
        """The same numbers in another precision."""
        return replace(
            self,
            inputs=self.inputs.astype(dtype),
            targets=self.targets.astype(dtype),
            laplacian=self.laplacian.astype(dtype),
            incidence=None if self.incidence is None else self.incidence.astype(dtype),
        )

    def record(self) -> dict[str, Array]:
        """Where the nodes lie, their classes, which of them have labels, and the names."""
        return {
            "places": self.places,
            "truth": self.truth,
            "labelled": self.labelled,
            "names": np.array(self.names),
        }


def graph_of(data: Data) -> GraphData:
    """The data as a graph. Raises InputError where they are none."""
    if not isinstance(data, GraphData):
        raise InputError('needs the nodes of a graph: set data.kind = "graph"')
    return data
