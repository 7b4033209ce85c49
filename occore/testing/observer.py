"""What every observer owes: what it sees, in arrays that fit together, and no traces."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from occore.arrays import Array
from occore.errors import OccoreError
from occore.example import Example
from occore.observing import Observations, Watch
from occore.storage.record import ObservationsRecord, RunRecord
from occore.storage.run import open_run
from occore.storage.writer import write_run
from occore.testing.comparison import agree, fail, identical, require
from occore.testing.points import Generator, near


def _seen(example: Example, theta: Array, iteration: int = 0) -> dict[str, Array]:
    found = example.map.observe(example.problem, theta, iteration)
    return {name: np.asarray(value) for name, value in found.items()}


def _theta(example: Example) -> Array:
    return np.asarray(example.theta, float)


def value(example: Example, rng: Generator) -> None:
    """What is seen at the example is the reference."""
    expected = {name: np.asarray(v) for name, v in example.value.items()}
    agree(type(example.map).__name__, _seen(example, _theta(example)), expected, example.rtol)


def no_traces(example: Example, rng: Generator) -> None:
    """A look changes neither θ nor the data, and a second one sees the same, to the last bit."""
    theta, data = _theta(example), example.problem.data
    given = {"theta": theta, "inputs": data.inputs}
    before = {name: np.array(v) for name, v in given.items()}
    first = _seen(example, theta)
    identical("a look changes", given, before)
    identical("a second look", _seen(example, theta), first)


def randomness(example: Example, rng: Generator) -> None:
    """Whatever is random is drawn from a generator of its own, not from NumPy's global one."""
    before = str(np.random.get_state())  # noqa: NPY002 - to see that nobody uses it
    _seen(example, _theta(example))
    require(
        str(np.random.get_state()) == before,  # noqa: NPY002
        "observe draws from NumPy's global generator",
    )


def storable(example: Example, rng: Generator) -> None:
    """Looks at other controls fit together, and come back from a run file, to the last bit."""
    seen = Observations((Watch("observer", 1, example.map),))
    try:
        for iteration in range(3):
            seen.look(example.problem, near(_theta(example), rng), iteration)
        found, stored = seen.records()["observer"], _through_a_file(seen)
    except OccoreError as error:
        fail(str(error))
        raise
    identical("iterations from a file", {"": stored.iteration}, {"": found.iteration})
    identical("arrays from a file", stored.values, found.values)


def _through_a_file(seen: Observations) -> ObservationsRecord:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.h5"
        history = {"iteration": np.zeros(1), "objective": np.zeros(1)}
        records = seen.records()
        write_run(path, RunRecord("", "running", "", "0", "", "", history, observers=records))
        return open_run(path).record().observers["observer"]


CHECKS = (value, no_traces, randomness, storable)
