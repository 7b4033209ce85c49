"""The evaluation of the present iterate, kept with its problem, so that none is made twice.

A step that accepts θ has evaluated the chain there; the products of the next step start from the
same linearizations. They are no part of a state, which holds arrays only: a resumed run makes them
anew, and does not count that as work, so that its counts are those of the run that was never
stopped.
"""

from __future__ import annotations

import numpy as np

from occore import Array, Evaluation, Problem

KEY = "_kept_evaluation"


def keep(problem: Problem, theta: Array, evaluation: Evaluation) -> None:
    """Keep what `problem.at(theta)` gave, in place of what was kept before."""
    problem.__dict__[KEY] = theta.copy(), evaluation


def evaluation_of(problem: Problem, theta: Array) -> Evaluation:
    """The evaluation at an iterate that an optimizer has been at; bit for bit the one it made."""
    kept = problem.__dict__.get(KEY)
    if kept is None or not np.array_equal(kept[0], theta):
        forward = problem.counts.forward
        keep(problem, theta, problem.at(theta))
        problem.counts.forward = forward
    return problem.__dict__[KEY][1]
