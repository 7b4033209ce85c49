"""How often a field is evaluated: forward for a value, backward for the adjoint of one gradient.

Numbers are those of the general march; compiled loops evaluate as often. A value on an adaptive
grid makes the attempts of the search for the grid, rejected ones too, and then the steps on it.
Backward counts are products with f_xᵀ and f_uᵀ, one for each stage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from occore.adaptive import StepLog
from occore.arrays import Array, Controls
from occore.checkpointing import Cost
from occore.dynamics import Dynamics
from occore.linearization import Linearization
from occore.phase import Phase
from occore.problem import Problem


class Effort(NamedTuple):
    """What one value and one gradient of a phase take."""

    steps: int
    rejected_steps: int
    evaluations: int
    adjoint_evaluations: int


def efforts(problem: Problem, theta: Array) -> dict[str, Effort]:
    """That of each integrated phase at θ, for all samples at once; not counted as work."""
    problem = problem.uncounted
    x, found = problem.start_states(None), {}
    for phase, u in zip(problem.links, problem.controls_in_order(theta), strict=True):
        if phase.static:
            x = phase(x, u)
        else:
            x, found[phase.name] = _effort(phase, x, u)
    return found


def _effort(phase: Phase, x: Array, u: Controls) -> tuple[Array, Effort]:
    tally, cost, log = Tally(), Cost(), StepLog()
    counted = replace(phase, dynamics=Counted(phase.dynamics, tally), cost=cost, log=log)
    y, part = counted.linearize(x, u)
    forward = tally.forward
    part.vjp(np.zeros_like(y))
    steps = log.accepted or counted.march(*phase.begin(x, u)).grid.steps
    return y, Effort(steps, log.rejected, forward, tally.backward)


@dataclass
class Tally:
    """Counts of evaluations."""

    forward: int = 0
    backward: int = 0


def _of_field(name: str) -> Any:
    return property(lambda self: getattr(self.field, name))


def _counting(name: str) -> Any:
    """An optional map of the field that counts as an evaluation, where there is one."""

    def get(self: Counted) -> Callable[..., Any] | None:
        product = getattr(self.field, name)
        return None if product is None else lambda *at: self.counted(*product(*at))

    return property(get)


@dataclass(frozen=True)
class Counted(Dynamics):
    """A field that counts its evaluations and those of its adjoint."""

    field: Dynamics
    tally: Tally

    controls = _of_field("controls")
    constants = _of_field("constants")
    autonomous = _of_field("autonomous")
    quadratures = _of_field("quadratures")
    couples_samples = _of_field("couples_samples")
    kinks = _of_field("kinks")
    jacobian = _of_field("jacobian")
    linear_part = _of_field("linear_part")
    linearize_in_time = _counting("linearize_in_time")

    @property
    def splitting(self) -> Callable[[], tuple[Dynamics, Dynamics]] | None:
        """That of the field; evaluations of its parts count as such of the field."""
        return None if self.field.splitting is None else self._splitting

    def _splitting(self) -> tuple[Dynamics, Dynamics]:
        assert self.field.splitting is not None  # noqa: S101 - `splitting` asks for it
        first, second = self.field.splitting()
        return Counted(first, self.tally), Counted(second, self.tally)

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """f."""
        self.tally.forward += 1
        return self.field(t, x, u)

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """f and its derivative."""
        return self.counted(*self.field.linearize(t, x, u))

    def counted(self, f: Array, part: Linearization) -> tuple[Array, Linearization]:
        """An evaluation, whose adjoint counts as well."""
        self.tally.forward += 1
        return f, CountedLinearization(part, self.tally)


@dataclass(frozen=True)
class CountedLinearization(Linearization):
    """A derivative that counts its adjoint products."""

    part: Linearization
    tally: Tally

    def jvp(self, dx: Array, du: Controls) -> Array:
        """That of the field."""
        return self.part.jvp(dx, du)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """That of the field, counted."""
        self.tally.backward += 1
        return self.part.vjp(py)

    @property
    def curvature(self):
        """That of the field."""
        return self.part.curvature
