"""The controls of the last phase, found anew by an optimizer of their own while others are held."""

from __future__ import annotations

import numpy as np

from occore import Array, Optimizer, Problem, StructureError, require_structure
from occore_single_layer.reduced import separated


def require_fit(method: Optimizer, problem: Problem, option: str) -> None:
    """Raise StructureError, with the name of the option, where the problem lacks a structure."""
    for structure in method.requires:
        try:
            require_structure(problem, structure)
        except StructureError as error:
            raise StructureError(f"optimizer.{option}: {error}") from error


def require_last_layer(method: Optimizer, problem: Problem, theta: Array) -> None:
    """Raise StructureError where there is no last layer by itself, or the method cannot take it."""
    try:
        require_structure(problem, "separable")
    except StructureError as error:
        raise StructureError(f"optimizer.last_layer: {error}") from error
    one = problem.uncounted.subset(np.zeros(1, int))
    require_fit(method, last_layer_problem(one, theta), "last_layer")


def last_layer_problem(problem: Problem, theta: Array) -> Problem:
    """The problem of the last phase alone, on the end states of the others at θ."""
    parts = separated(problem)
    return parts.inner(parts.opening.output(theta[: parts.opening.size]))


def solved_for_last_layer(method: Optimizer, problem: Problem, theta: Array) -> tuple[Array, float]:
    """θ with the last phase as the method leaves it, from zero on, and J there."""
    opening = separated(problem).opening
    inner = last_layer_problem(problem, theta)
    w = np.zeros(inner.size, theta.dtype)
    state = method.init(inner, w)
    while method.finished(inner, w, state) is None:
        w, state = method.step(inner, w, state)
    first = theta[: opening.size]
    controls = opening.unflatten(first)
    penalties = sum(weight * term(controls) for weight, term in opening.penalties)
    return np.concatenate([first, w]), float(penalties + state.value)
