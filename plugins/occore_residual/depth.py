"""The same network with fewer layers, and its controls on their way from one depth to the other.

The control space of a phase does the transfer (`ControlSpace.prolong`): the control of the new
depth agrees with the old one at its nodes. From few layers to many nothing changes but the steps.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from occore import Array, InputError, Phase, Problem, Total


def is_refinable(phase: Phase) -> bool:
    """Whether a phase is integrated in equal steps."""
    return not phase.static and phase.tolerances is None and phase.times is None


def shallower(problem: Problem, factor: int) -> Problem:
    """The problem with `factor` times as few steps in its integrated phases; it shares the counts.

    Penalties are those of the new phases. Raises InputError where a number of steps is no multiple
    of the factor, and where no phase has steps.
    """
    if factor == 1:
        return problem
    return problem.once(f"{factor} times shallower", lambda: _shallower(problem, factor))


def _shallower(problem: Problem, factor: int) -> Problem:
    if not any(map(is_refinable, problem.phases)):
        raise InputError(
            "no phase is integrated in equal steps, so there is no depth to be refined; give one a "
            "discretization with `steps`"
        )
    phases = tuple(_thinned(phase, factor) for phase in problem.phases)
    terms = [weight * term.for_phases(phases) for weight, term in problem.objective.terms]
    objective = Total(tuple(pair for term in terms for pair in term.terms))
    return problem.excerpt(phases, objective, problem.data)


def _thinned(phase: Phase, factor: int) -> Phase:
    if not is_refinable(phase):
        return phase
    if phase.steps % factor:
        raise InputError(
            f"the phase {phase.name!r} has {phase.steps} steps, which is no multiple of {factor}; "
            "take fewer levels or another number of steps"
        )
    return replace(phase, steps=phase.steps // factor)


def moved(theta: Array, problem: Problem, onto: Problem) -> Array:
    """The controls of `problem` as those of `onto`, the same problem at another depth."""
    if problem is onto:
        return theta
    controls = problem.unflatten(theta)
    for phase, other in zip(problem.phases, onto.phases, strict=True):
        u, space = controls[phase.name], phase.space
        if space is None or other.space is None or phase.steps == other.steps:
            continue
        varying = {
            name: u[name]
            for name in phase.dynamics.controls
            if name not in phase.dynamics.constants
        }
        u.update(space.prolong(varying, phase.steps, other.space, other.steps))
    return onto.flatten(controls).astype(np.asarray(theta).dtype)
