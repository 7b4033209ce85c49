"""Patterns: a few samples of zeros and ones, all that there are of a problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from occore import Array, Data
from occore_least_squares.datasets.content import array_digest


@dataclass(frozen=True)
class Patterns(Data):
    """Data that a run file keeps, as inputs and targets, since they are few."""

    def record(self) -> dict[str, Array]:
        """Inputs and targets, as `patterns` and `answers`, and the names of the inputs if any."""
        named = {} if self.features is None else {"features": np.array(self.features, object)}
        return {"patterns": self.inputs, "answers": self.targets, **named}


def patterns(inputs: Array, targets: Array, features: Sequence[str] = ()) -> Patterns:
    """The samples, in double precision; features may name the inputs."""
    inputs, targets = np.asarray(inputs, float), np.asarray(targets, float)
    digest = array_digest(inputs, targets)
    return Patterns(inputs, targets, features=tuple(features) or None, digest=digest)


def all_bits(bits: int) -> Array:
    """(2^bits, bits): every vector of zeros and ones, counted up, the last bit the fastest."""
    places = np.arange(bits)[::-1]
    return (np.arange(2**bits)[:, None] >> places & 1).astype(float)
