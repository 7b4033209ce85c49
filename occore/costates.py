"""States and costates of a problem at one θ: the course that each phase takes, and ∂J/∂x along it.

    x_{k+1} = Y_k(x_k, u_k),    p_k = Y_kxᵀ p_{k+1},    p_end = ∂J/∂x_end,    ∇J = Σ_k Y_kuᵀ p_{k+1}

Y_k is a step, or a layer. A running cost is an entry more of the state, whose costate is its
weight; so ⟨p, f⟩ of these states is the Hamiltonian ⟨p, f⟩ + ℓ of optimal control.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from occore.adjoint import March
from occore.arrays import Array, Controls
from occore.dynamics import Dynamics
from occore.errors import InputError
from occore.linearization import Linearization
from occore.phase import Phase
from occore.problem import Problem
from occore.stage_controls import stage_values


@dataclass(frozen=True)
class Course:
    """One phase: states and costates, (samples, *state_shape) each, at the nodes of its grid.

    field: what is integrated, or the layer. A layer has two nodes, at the times 0 and 1. pulled:
    Y_kxᵀ p_{k+1} of each step, from which p_k differs where the state is observed.
    """

    name: str
    field: Dynamics
    times: Array
    states: list[Array]
    costates: list[Array]
    pulled: list[Array]
    u: Controls
    march: March | None

    @property
    def lengths(self) -> Array:
        """Of the steps, (steps,)."""
        return np.diff(self.times)

    def controls_at(self, k: int, places: tuple[float, ...]) -> list[Controls]:
        """The controls at places in [0, 1] of step k, as limits from inside the step."""
        if self.march is None:
            return [self.u for _ in places]
        t, h, stages = float(self.times[k]), float(self.lengths[k]), self.march.stages
        basis, constants = stages.basis_at(t, h, places), stages.constants
        values = stage_values(basis, self.u, constants, len(places))
        return [{name: value[i] for name, value in values.items()} for i in range(len(places))]

    def replay(self, u: Controls) -> Iterator[tuple[int, Array, Linearization]]:
        """Each step from the state that it has here, with other controls; from last to first.

        Gives k, Y_k(x_k, u_k) and its derivative.
        """
        if self.march is None:
            yield 0, *self.field.linearize(0.0, self.states[0], u)
            return
        control = self.march.stages.controls(u)
        for k in range(len(self.times) - 2, -1, -1):
            yield k, *_step(self.march, k, self.states[k], control[k])

    def gather(self) -> Any:
        """A sum of adjoints of the controls of the steps, by `add(k, pu)` and `result()`."""
        return _Layer() if self.march is None else self.march.stages.gather()


def courses(problem: Problem, theta: Array) -> list[Course]:
    """The course of each phase at θ; adaptive grids are those that they have here.

    Raises InputError where a phase has events, at which costates jump, or an unknown start.
    """
    for phase in problem.phases:
        if phase.events or phase.free_start is not None:
            raise InputError(
                f"phase {phase.name!r}: costates are known for marches without events and with a "
                "given start"
            )
    evaluation = problem.at(theta)
    found = list(_forward(problem, theta))
    p = problem.join_cost(evaluation.end_gradient(), 1.0)
    for course in reversed(found):
        p = _backward(course, p)
    problem.count(forward=1, adjoint=1)
    return found


def _forward(problem: Problem, theta: Array) -> Iterator[Course]:
    x, controls = problem.start_states(None), problem.controls_in_order(theta)
    for phase, u in zip(problem.links, controls, strict=True):
        times, states, march = _states(phase, x, u)
        yield Course(phase.name, phase.field, times, states, [], [], u, march)
        x = states[-1]


def _states(phase: Phase, x: Array, u: Controls) -> tuple[Array, list[Array], March | None]:
    if phase.static:
        return np.array([0.0, 1.0]), [x, phase.dynamics(0.0, x, u)], None
    march = phase.march(x, u)
    return march.grid.times, [x, *march.states(x, u)], march


def _backward(course: Course, p: Array) -> Array:
    """Fill in the costates from the adjoint of the output; the costate at the start."""
    march, output = course.march, p
    observed = march is not None and march.observed is not None
    places = march.places if observed and march is not None else {}
    p = 0 * output[:, 0] if observed else output
    last = len(course.times) - 1
    p = p + output[:, places[last]] if last in places else p
    costates, pulled = [p], []
    for k, _, part in course.replay(course.u):
        p = part.vjp(p)[0]
        pulled.append(p)
        p = p + output[:, places[k]] if k in places else p
        costates.append(p)
    course.costates.extend(costates[::-1])
    course.pulled.extend(pulled[::-1])
    return p


def _step(march: March, k: int, x: Array, control: Controls) -> tuple[Array, Linearization]:
    t, h = float(march.grid.times[k]), float(march.grid.lengths[k])
    return march.discretization.linearize_step(march.dynamics, t, h, x, control)


class _Layer:
    """The adjoint of the controls of a layer: that of its one step."""

    def add(self, k: int, pu: Controls) -> None:
        self._pu = pu

    def result(self) -> Controls:
        return self._pu
