"""What a person would look at: how many nodes a field or a clustering puts into the wrong class."""

from __future__ import annotations

import numpy as np

from occore import Array, Data
from occore_semisupervised.graph_data import GraphData


def label_errors(x: Array, data: Data) -> dict[str, float]:
    """Error rates of the largest entry of each node.

    x: (samples, n, classes). `labelled_error_rate` is over the nodes whose labels are fitted. Of a
    graph also `unlabelled_error_rate`, over the nodes without a label whose class is known, and
    `undecided`, the share of nodes whose entries are all equal: those that no label reaches.
    """
    found, fitted = np.argmax(x, axis=-1), data.targets.any(axis=-1)
    result = {}
    if np.any(fitted):
        wrong = found[fitted] != np.argmax(data.targets, axis=-1)[fitted]
        result["labelled_error_rate"] = float(np.mean(wrong))
    if isinstance(data, GraphData):
        hidden = ~data.labelled & (data.truth >= 0)
        if np.any(hidden):
            result["unlabelled_error_rate"] = float(np.mean(found[0][hidden] != data.truth[hidden]))
        result["undecided"] = float(np.mean(np.ptp(x, axis=-1) == 0))
    return result


def matched_accuracy(truth: Array, clusters: Array) -> float:
    """The share of nodes in the right cluster, with the best assignment of clusters to classes.

    truth, clusters: (n,) integers from 0. By the Hungarian method.
    """
    from scipy.optimize import linear_sum_assignment

    size = int(max(truth.max(), clusters.max())) + 1
    counts = np.zeros((size, size), int)
    np.add.at(counts, (truth, clusters), 1)
    return float(counts[linear_sum_assignment(counts, maximize=True)].sum() / len(truth))
