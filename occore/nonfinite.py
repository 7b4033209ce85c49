"""Where a computation left the numbers: the phase, the step and the name of what blew up."""

from __future__ import annotations

import numpy as np

from occore.arrays import Array
from occore.problem import Problem


def locate_nonfinite(problem: Problem, theta: Array) -> str:
    """Where the first NaN or infinity of an evaluation at θ appears, in words."""
    for phase, named in problem.unflatten(theta).items():
        for name, value in named.items():
            if not np.all(np.isfinite(value)):
                return f"the control {phase}/{name} is not finite"
    x, controls = problem.data.inputs, problem.unflatten(theta)
    for phase in problem.phases:
        for step, state in enumerate(phase.states(x, controls[phase.name]), start=1):
            if not np.all(np.isfinite(state)):
                sample = int(np.argwhere(~np.isfinite(state))[0][0])
                place = f"step {step} of " if not phase.static else ""
                return (
                    f"the state after {place}phase {phase.name!r} is not finite (sample {sample})"
                )
            x = state
    return "the objective is not finite, at finite end states"
