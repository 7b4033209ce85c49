"""What every objective owes: its example, a sound problem, and all that its terms owe."""

from __future__ import annotations

import numpy as np

from occore.checks import check_problem, raise_on_failure
from occore.data import Data
from occore.example import Example
from occore.objective import ControlObjective, TerminalObjective
from occore.phase import Phase
from occore.problem import Problem
from occore.testing import objective_contracts
from occore.testing.comparison import close
from occore.testing.models import Midpoint, Ramp
from occore.testing.points import Generator, arrays


def value(example: Example, rng: Generator) -> None:
    """The value at the example is the reference number, with and without a linearization."""
    term, found = example.map, {}
    if isinstance(term, TerminalObjective):
        given = np.asarray(example.x, float), np.asarray(example.target, float)
        found = {"value": term(*given), "linearized": term.linearize(*given)[0]}
    elif isinstance(term, ControlObjective):
        controls = {phase: arrays(named) for phase, named in example.u.items()}
        found = {"value": term(controls), "linearized": term.linearize(controls)[0]}
    else:
        problem = march(example)
        theta = np.zeros(problem.size)
        found = {"value": problem.value(theta), "linearized": problem.at(theta).value}
    for what, y in found.items():
        close(f"{type(term).__name__}: {what} at the example", y, example.value, example.rtol)


def problem(example: Example, rng: Generator) -> None:
    """Gradient and Hessian of the problem of an objective that is built for a chain of phases."""
    if example.dynamics is not None:
        made = march(example)
        raise_on_failure(check_problem(made, rng.standard_normal(made.size), rng))


def march(example: Example) -> Problem:
    """The objective on a march of the example's dynamics over one unit of time."""
    phase = Phase("march", example.dynamics, Midpoint(), 2, space=Ramp())
    data = Data(np.asarray(example.x, float))
    return Problem((phase,), example.map.for_phases((phase,)), data)


CHECKS = (value, problem, *objective_contracts.CHECKS)
