"""Which nodes of a graph have labels, drawn class by class."""

from __future__ import annotations

import numpy as np

from occore import Array, DataError


def drawn_labels(
    truth: Array,
    names: tuple[str, ...],
    per_class: int | None,
    validation: float,
    rng: np.random.Generator,
) -> tuple[Array, Array]:
    """One-hot rows (n, classes) of the labels that are given, and of those that are fitted.

    truth: (n,) the class of each node, −1 where unknown. per_class: labels of each class; all that
    are known where it is None. validation: share of them that are fitted but not given; where it is
    zero the labels are both. Raises DataError where a class has fewer nodes than labels.
    """
    given, fitted = np.zeros((2, len(truth), len(names)))
    for k, name in enumerate(names):
        members = np.flatnonzero(truth == k)
        count = len(members) if per_class is None else per_class
        if count > len(members):
            raise DataError(f"{count} labels of class {name!r}, which has {len(members)} nodes")
        nodes = rng.permutation(members)[:count]
        kept = count - round(validation * count)
        given[nodes[:kept], k] = 1.0
        fitted[nodes[kept:] if validation else nodes, k] = 1.0
    return given, fitted
