"""Multilevel training in depth: few layers first, then their controls as a start for more.

    steps    N/2^(levels−1) → … → N/2 → N

Each level is trained by the same method from where the coarser one ended, whose controls its
control space prolongs. A sweep over few layers costs their share of the unknowns as work, and a
network that follows a differential equation behaves alike at all depths, so that most iterations
are made where they are cheap. θ is at all times that of the finest level, the prolonged one.

Objective and gradient norm of an iteration are those of its level; `exact_values` evaluates them at
the finest level, for two more work units. A level ends with the method, or after `iterations`.

Sources: Haber and Ruthotto, Stable architectures for deep neural networks, Inverse Problems 34
(2018), section 5; Haber, Ruthotto, Holtham and Jun, Learning across scales, AAAI (2018).
"""

from __future__ import annotations

import dataclasses
import functools
import typing
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from occore import (
    Array,
    Data,
    Example,
    InputError,
    Optimizer,
    Phase,
    Problem,
    State,
    Status,
    norm,
)
from occore_residual.depth import is_refinable, moved, shallower
from occore_single_layer.last_layer import require_fit

OF_THE_METHOD = "method_"
"""Begins the names of the fields of the method's state."""


@functools.cache
def state_of(method: type[State]) -> type[State]:
    """The state of a multilevel run: its own fields, and those of the method's state."""
    hints = typing.get_type_hints(method)
    own: list[tuple[str, Any]] = [("level", int), ("started", np.ndarray)]
    carried = [(OF_THE_METHOD + f.name, hints[f.name]) for f in dataclasses.fields(method)]
    return dataclasses.make_dataclass("MultilevelState", own + carried, bases=(State,), frozen=True)


@dataclass(frozen=True)
class Multilevel(Optimizer[Any]):
    """A method on networks of growing depth."""

    resume: ClassVar[Literal["exact", "restart"]] = "exact"

    method: Annotated[Optimizer, Field(description="what trains each level")]
    levels: Annotated[int, Field(gt=0, le=16, description="depths, each twice the one before")] = 3
    iterations: Annotated[
        int, Field(gt=0, description="of the method at most on each level but the last")
    ] = 50
    exact_values: Annotated[
        bool, Field(description="J and its gradient at the finest level, as more work")
    ] = False

    def __post_init__(self) -> None:
        if self.method.resume != "exact":
            raise InputError(
                f"{type(self.method).__name__} cannot go on from a stored state, which a level "
                "needs; take another method"
            )

    @property
    def state(self) -> Any:
        """The class of its states, by that of the method."""
        return state_of(self.method.state)

    def init(self, problem: Problem, theta: Array) -> Any:
        """The method's start on the coarsest level.

        Raises StructureError for what the method needs, InputError where steps cannot be halved.
        """
        coarsest = self._problem(problem, 0)
        require_fit(self.method, coarsest, "method")
        inner = self.method.init(coarsest, moved(theta, problem, coarsest))
        started = np.zeros(self.levels, np.int64)
        return self._state(problem, theta, 0, 0, started, inner)

    def step(self, problem: Problem, theta: Array, state: Any) -> tuple[Array, Any]:
        """One iteration of the method, on the next level where the last one has ended."""
        level, inner, started = state.level, self._inner(state), state.started
        here = self._problem(problem, level)
        c = moved(theta, problem, here)
        while level + 1 < self.levels and self._has_ended(here, c, inner):
            level += 1
            finer = self._problem(problem, level)
            c, here = moved(c, here, finer), finer
            inner = self.method.init(here, c)
            started = np.where(np.arange(self.levels) < level, started, state.iteration)
        if self.method.finished(here, c, inner) is None:
            c, inner = self.method.step(here, c, inner)
        theta = moved(c, here, problem)
        return theta, self._state(problem, theta, state.iteration + 1, level, started, inner)

    def finished(self, problem: Problem, theta: Array, state: Any) -> Status | None:
        """As the method says on the finest level."""
        if state.level + 1 < self.levels:
            return None
        return self.method.finished(problem, theta, self._inner(state))

    def report(self, problem: Problem, theta: Array, state: Any) -> dict[str, Any]:
        """The steps of each level, by phase, and after how many iterations each began."""
        levels = [self._problem(problem, level) for level in range(self.levels)]
        steps = {
            phase.name: np.array([level.phases[place].steps for level in levels])
            for place, phase in enumerate(problem.phases)
            if is_refinable(phase)
        }
        return {"multilevel": {"started": state.started, "steps": steps}}

    def _problem(self, problem: Problem, level: int) -> Problem:
        return shallower(problem, 2 ** (self.levels - 1 - level))

    def _has_ended(self, problem: Problem, c: Array, inner: State) -> bool:
        ended = self.method.finished(problem, c, inner) is not None
        return ended or inner.iteration >= self.iterations

    def _inner(self, state: Any) -> Any:
        """The state of the method."""
        fields = dataclasses.fields(self.method.state)
        return self.method.state(**{f.name: getattr(state, OF_THE_METHOD + f.name) for f in fields})

    def _state(
        self,
        problem: Problem,
        theta: Array,
        iteration: int,
        level: int,
        started: Array,
        inner: State,
    ) -> Any:
        value, size = inner.value, inner.gradient_norm
        if self.exact_values:
            value, g = problem.value_and_gradient(theta)
            size = norm(g)
        carried = {
            OF_THE_METHOD + f.name: getattr(inner, f.name) for f in dataclasses.fields(inner)
        }
        common = iteration, value, size, inner.step_length
        return self.state(*common, level=level, started=started, **carried)

    @classmethod
    def example(cls) -> Example:
        """dx/dt = k x from 1 in two Euler steps towards 5, with ¼ k² for each interval, by hand.

        At k = (2, 2) the end is 4, and the derivative in each entry (4 − 5) · 2 · ½ + ½ · 2 = 0.
        """
        from occore_classification.lbfgs import LBFGS
        from occore_continuous.control_spaces.piecewise_constant import PiecewiseConstant
        from occore_continuous.discretizations.forward_euler import ForwardEuler
        from occore_least_squares.least_squares import LeastSquares
        from occore_least_squares.tikhonov import Tikhonov
        from occore_single_layer.dense import Dense

        field = Dense((1,), 1, "identity", bias=False)
        phase = Phase("flow", field, ForwardEuler(), 2, space=PiecewiseConstant())
        data = Data(np.array([[1.0]]), np.array([[5.0]]))
        return Example(
            cls(LBFGS(tolerance=1e-10), levels=2, iterations=3, exact_values=True),
            problem=Problem((phase,), LeastSquares() + 0.5 * Tikhonov(), data),
            theta=np.zeros(2),
            value=[2.0, 2.0],
            rtol=1e-8,
        )
