"""The data sets that come with scikit-learn: no download, a few hundred samples each."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from occore import Data, DataError, nearest, require
from occore_least_squares.datasets.content import array_digest
from occore_least_squares.datasets.supervised import one_hot_rows

Classes = Annotated[
    tuple[str, ...] | None,
    Field(min_length=2, description="classes that are kept, in this order; all where not given"),
]


def bunch(name: str) -> Any:
    """What scikit-learn's loader of this name returns. Raises MissingExtra."""
    purpose = f"to load the {name} data set"
    return getattr(require("sklearn.datasets", extra="data", purpose=purpose), f"load_{name}")()


def classification(name: str, classes: tuple[str, ...] | None = None) -> Data:
    """Inputs (samples, features) and one-hot targets (samples, classes), in scikit-learn's order.

    Raises MissingExtra, and DataError for a class that the set does not have.
    """
    source = bunch(name)
    known = [str(known) for known in source.target_names]
    kept = known if classes is None else list(classes)
    for label in kept:
        if label not in known:
            raise DataError(
                f"{name} has no class {label!r}.{nearest(label, known)} Known: {', '.join(known)}"
            )
        if kept.count(label) > 1:
            raise DataError(f"class {label!r} is named {kept.count(label)} times; name it once")
    column = np.array([kept.index(label) if label in kept else -1 for label in known])
    index = column[source.target]
    return Data(
        source.data[index >= 0],
        one_hot_rows(index[index >= 0], len(kept)),
        tuple(kept),
        feature_names(source),
        array_digest(source.data, source.target),
    )


def feature_names(source: Any) -> tuple[str, ...]:
    """Names of the columns of the inputs."""
    return tuple(str(name) for name in source.feature_names)
