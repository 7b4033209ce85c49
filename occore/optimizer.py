"""Optimizers: explicit state in and out, so that a run can stop and go on exactly.

An optimizer is a frozen dataclass of hyperparameters. Whatever changes is in its `State`, whose
fields are arrays and scalars that HDF5 stores. `step` is one iteration.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Generic, Literal, TypeVar

from occore.arrays import Array
from occore.interface import Interface
from occore.problem import Problem
from occore.structure import Structure


class Status(Enum):
    """How a run ended. Not converging is a result, not an error."""

    SOLVED = "a direct method solved the problem"
    CONVERGED = "the gradient norm is below the tolerance"
    NOISE_LEVEL = "the residual is at the noise level; more iterations would fit the noise"
    ITERATION_LIMIT = "max_iterations was reached before the tolerance"
    STALLED = "rounding errors stop further progress before the tolerance"
    LINE_SEARCH_FAILED = "no step decreased the objective; check the gradient with: occore check"
    UNBOUNDED = (
        "the controls grow without bound: the objective decreases towards infinity and has no "
        "finite minimiser there; add a penalty"
    )
    INTERRUPTED = "interrupted; go on with: occore resume"
    FAILED = "the computation failed"

    @property
    def failed(self) -> bool:
        """Whether the computation gave no usable result."""
        return self in (Status.LINE_SEARCH_FAILED, Status.UNBOUNDED, Status.FAILED)


@dataclass(frozen=True)
class State:
    """What every optimizer tells of its present iterate; subclasses add what they carry along."""

    iteration: int
    value: float
    gradient_norm: float
    step_length: float


S = TypeVar("S", bound=State)


class Optimizer(Interface, Generic[S]):
    """Minimises a problem over its flat vector θ."""

    resume: ClassVar[Literal["exact", "restart"]]
    """Whether a resumed run goes on bit for bit, or starts afresh from the last θ."""

    requires: ClassVar[tuple[Structure, ...]] = ()
    """Structures that the problem must have; checked before any work."""

    state: ClassVar[type[State]]
    """The class of its states, by which a stored state is restored."""

    carries: ClassVar[tuple[str, ...]] = ()
    """Fields of its states, numbers, that help on other samples of the same data as well."""

    report: Callable[[Problem, Array, Any], dict[str, Any]] | None = None
    """Optional: `report(problem, theta, state)` is what the method found beside θ.

    A tree of numbers and arrays by name, which the run file keeps in `/result`.
    """

    @abstractmethod
    def init(self, problem: Problem, theta: Array) -> S:
        """The state at the start."""

    @abstractmethod
    def step(self, problem: Problem, theta: Array, state: S) -> tuple[Array, S]:
        """One iteration: the next θ and state. Changes neither argument."""

    @abstractmethod
    def finished(self, problem: Problem, theta: Array, state: S) -> Status | None:
        """The status to stop with, or `None` to go on."""


def stop(state: State, *, initial: float, tolerance: float, max_iterations: int) -> Status | None:
    """The usual stopping rule: gradient norm ≤ tolerance · initial gradient norm, or the limit."""
    if state.gradient_norm <= tolerance * initial:
        return Status.CONVERGED
    return Status.ITERATION_LIMIT if state.iteration >= max_iterations else None
