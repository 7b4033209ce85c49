"""The passage of samples through the phases of a problem, step by step, for observers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from occore import Array, Controls, InputError, Phase, Problem


@dataclass(frozen=True)
class Passage:
    """One integrated phase with fixed steps: its states (steps + 1, samples, *state_shape)."""

    phase: Phase
    controls: Controls
    states: list[Array]

    @property
    def march(self) -> Any:
        """The steps; `grid` and `stages` of it say when they are and with what controls."""
        return self.phase.march(*self.phase.begin(self.states[0], self.controls))

    @property
    def size(self) -> int:
        """Entries of a state."""
        return int(np.prod(self.states[0].shape[1:]))


def passages(problem: Problem, theta: Array, samples: int) -> Iterator[Passage]:
    """Each integrated phase with fixed steps, entered by the first so many samples.

    Raises InputError where there is none.
    """
    inputs = problem.data.inputs
    x, controls, found = inputs[: min(samples, inputs.shape[0])], problem.unflatten(theta), False
    for phase in problem.phases:
        u = controls[phase.name]
        if phase.static or phase.tolerances is not None:
            x = phase(x, u)
            continue
        found = True
        states = [phase.begin(x, u)[0], *phase.states(x, u)]
        yield Passage(phase, u, states)
        x = states[-1]
    if not found:
        raise InputError(
            "nothing to look at: no phase is integrated in fixed steps; give one a discretization "
            "with `steps`"
        )
