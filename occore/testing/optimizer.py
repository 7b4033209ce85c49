"""What every optimizer owes: the solution, a state that can be stored, exact resume, no traces."""

from __future__ import annotations

import dataclasses
import tempfile
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from occore.arrays import Array
from occore.checks import check_problem, raise_on_failure
from occore.data import Data
from occore.example import Example
from occore.optimizer import Optimizer, State, Status
from occore.problem import Problem
from occore.recording import state_from_record, state_record
from occore.storage.record import RunRecord
from occore.storage.run import open_run
from occore.storage.writer import write_run
from occore.structure import Structure, spoiler
from occore.testing.comparison import close, fail, identical, require
from occore.testing.points import Generator

MOST = 10_000
FIRST = 5
"""Iterations after which a run is interrupted, each of them in turn."""

Iterate = tuple[Array, State]


def _start(example: Example) -> tuple[Optimizer, Problem, Array]:
    return example.map, example.problem, np.asarray(example.theta, float)


def _finish(optimizer: Optimizer, problem: Problem, at: Iterate) -> tuple[Iterate, Status]:
    theta, state = at
    for _ in range(MOST):
        status = optimizer.finished(problem, theta, state)
        if status is not None:
            return (theta, state), status
        theta, state = optimizer.step(problem, theta, state)
    fail(f"{type(optimizer).__name__} does not end within {MOST} iterations")
    raise AssertionError


def _iterates(example: Example) -> Iterator[Iterate]:
    """The first iterates, from the start."""
    optimizer, problem, theta = _start(example)
    theta, state = at = theta, optimizer.init(problem, theta)
    yield at
    for _ in range(FIRST):
        if optimizer.finished(problem, theta, state) is not None:
            return
        theta, state = at = optimizer.step(problem, theta, state)
        yield at


def _named(at: Iterate) -> dict[str, Array]:
    return {"theta": at[0]} | {k: np.asarray(v) for k, v in state_record(at[1]).items()}


def value(example: Example, rng: Generator) -> None:
    """The example is solved to its tolerance."""
    optimizer, problem, theta = _start(example)
    (theta, _), status = _finish(optimizer, problem, (theta, optimizer.init(problem, theta)))
    require(not status.failed, f"the example ended with: {status.value}")
    close("solution of the example", theta, example.value, example.rtol)


def declared(example: Example, rng: Generator) -> None:
    """`resume`, `requires` and `state` say what the runner asks for; the example fits them."""
    optimizer, problem, theta = _start(example)
    name = type(optimizer).__name__
    require(optimizer.resume in ("exact", "restart"), f"{name}: resume is {optimizer.resume!r}")
    unknown = set(optimizer.requires) - set(typing.get_args(Structure))
    require(not unknown, f"{name} requires unknown structures: {sorted(unknown)}")
    for structure in optimizer.requires:
        why = spoiler(problem, structure)
        require(why is None, f"the example of {name} lacks {structure}: {why}")
    state = optimizer.init(problem, theta)
    require(type(state) is optimizer.state, f"{name}: a state is {type(state).__name__}")
    require(state.iteration == 0, f"{name}: the first state has iteration {state.iteration}")
    frozen = getattr(type(state), "__dataclass_params__", None)
    require(frozen is not None and frozen.frozen, f"{name}: the state is no frozen dataclass")


def iterations_are_counted(example: Example, rng: Generator) -> None:
    """Each step counts one iteration, and the value of a state is J at its iterate."""
    _, problem, _ = _start(example)
    for k, (theta, state) in enumerate(_iterates(example)):
        require(state.iteration == k, f"after {k} steps iteration is {state.iteration}")
        size = abs(problem.value(0 * theta)) + abs(state.value)
        close(f"value after {k} steps", state.value, problem.value(theta), 1e-8, size)


def storable(example: Example, rng: Generator) -> None:
    """Every field is a number, a truth value, a text or an array of numbers."""
    for _, state in _iterates(example):
        for field in dataclasses.fields(state):
            value = getattr(state, field.name)
            kind = np.asarray(value).dtype.kind
            require(
                kind in "fiubcU" and not isinstance(value, (list, tuple, dict)),
                f"{type(state).__name__}.{field.name} is {type(value).__name__}: a run file stores "
                "numbers, texts and arrays of numbers",
            )


def no_traces(example: Example, rng: Generator) -> None:
    """init, step and finished change neither θ nor the state, and come out the same twice."""
    optimizer, problem, _ = _start(example)
    for theta, state in list(_iterates(example))[:-1]:
        before = {name: np.array(a) for name, a in _named((theta, state)).items()}
        first = optimizer.step(problem, theta, state)
        kept = {name: np.array(a) for name, a in _named(first).items()}
        optimizer.finished(problem, theta, state)
        second = optimizer.step(problem, theta, state)
        optimizer.init(problem, theta)
        optimizer.step(problem, *second)
        identical("θ and state after a step from them", _named((theta, state)), before)
        identical("the same step twice", _named(second), kept)
        identical("the result of a step, after further steps", _named(first), kept)


def exact_resume(example: Example, rng: Generator) -> None:
    """Interrupted, stored in a run file and resumed, the run ends as the one that was not.

    Bit for bit where `resume` is "exact"; in the solution where it is "restart". The problem is
    built anew, as in another process.
    """
    optimizer, problem, _ = _start(example)
    iterates = list(_iterates(example))
    end, status = _finish(optimizer, problem, iterates[0])
    for theta, state in iterates[:-1]:
        fresh = dataclasses.replace(problem)
        if optimizer.resume == "exact":
            theta, state = _through_a_file(theta, state)
        else:
            state = optimizer.init(fresh, theta)
        again, other = _finish(optimizer, fresh, (theta, state))
        if optimizer.resume == "exact":
            identical(f"resumed after {state.iteration} iterations", _named(again), _named(end))
            require(status is other, f"resumed, the run ends with {other}, not {status}")
        else:
            close("restarted", again[0], example.value, example.rtol)


def _through_a_file(theta: Array, state: State) -> Iterate:
    checkpoint: dict[str, Any] = {"theta": theta, "optimizer": state_record(state)}
    history = {"iteration": np.zeros(1, int), "objective": np.zeros(1)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.h5"
        write_run(path, RunRecord("", "running", "", "0", "", "", history, checkpoint=checkpoint))
        stored = open_run(path).checkpoint()
    return stored["theta"], state_from_record(type(state), stored["optimizer"])


def single_precision(example: Example, rng: Generator) -> None:
    """A problem in float32 is solved in float32."""
    optimizer, problem, theta = _start(example)
    single = np.dtype(np.float32)
    given: Data = problem.data.astype(single)
    low = dataclasses.replace(problem, data=given)
    at = theta.astype(single), optimizer.init(low, theta.astype(single))
    for _ in range(2):
        if optimizer.finished(low, *at) is None:
            at = optimizer.step(low, *at)
    require(at[0].dtype == single, f"θ is {at[0].dtype} for a problem in float32")


def problem_of_the_example(example: Example, rng: Generator) -> None:
    """The derivatives of the example's problem are right, so that the optimizer is on trial."""
    _, problem, theta = _start(example)
    raise_on_failure(check_problem(problem, theta + rng.standard_normal(theta.shape), rng))


CHECKS = (
    value,
    declared,
    iterations_are_counted,
    storable,
    no_traces,
    exact_resume,
    single_precision,
    problem_of_the_example,
)
