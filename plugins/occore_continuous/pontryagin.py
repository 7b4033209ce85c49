"""How far a trajectory is from Pontryagin's conditions, along a run.

    H(t, x, p, u) = ⟨p, f⟩ + ℓ,    dx/dt = H_p,  −dp/dt = H_x,  H_u = 0 at every time

For each integrated phase, in a group of its name; sums over the samples, which share u:

name              shape   what is measured
stationarity      ()      (∫ ‖H_u‖² dt)^½; of controls that do not vary in time ‖∫ H_u dt‖
costate_residual  ()      (∫ ‖dp/dt + H_x‖² dt)^½, as the defect of Simpson's rule over each step
state_residual    ()      (∫ ‖dx/dt − f‖² dt)^½, likewise
hamiltonian       ()      mean of H over the nodes
drift             ()      largest less smallest H at the nodes; 0 for an autonomous problem at its
                          optimum, up to O(h^p) for a method of order p

States and costates are those of the discrete problem; between the nodes they are cubics, so that
residuals of equations that hold exactly still show O(h⁴). Penalties R(θ) are not part of H. Bryson
and Ho, Applied Optimal Control (1975), section 2.3; W. E, Commun. Math. Stat. 5 (2017), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from occore import (
    Array,
    Bolza,
    Controls,
    Course,
    Data,
    Dynamics,
    Example,
    ExpressionDynamics,
    Observer,
    Phase,
    Problem,
    courses,
)

PLACES = (0.0, 0.5, 1.0)
SIMPSON = np.array([1, 4, 1]) / 6


@dataclass(frozen=True)
class Pontryagin(Observer):
    """Residuals of the optimality conditions, and the constancy of the Hamiltonian."""

    def observe(self, problem: Problem, theta: Array, iteration: int) -> dict[str, Array]:
        """The table of the module, with names `phase/name`."""
        found: dict[str, Array] = {}
        for course in courses(problem, theta):
            if course.march is not None:
                values = _residuals(course)
                found |= {f"{course.name}/{name}": np.asarray(v) for name, v in values.items()}
        return found

    @classmethod
    def example(cls) -> Example:
        """dx/dt = u, ℓ = ½ u² from x = 1 with u = −1 over one unit: p = 0, H = ½, H_u = −1."""
        from occore_continuous.control_spaces.piecewise_constant import PiecewiseConstant
        from occore_continuous.discretizations.forward_euler import ForwardEuler

        dynamics = ExpressionDynamics(("x",), ("u",), {"x": "u"})
        phase = Phase("move", dynamics, ForwardEuler(), 2, space=PiecewiseConstant())
        objective = Bolza(running="0.5*u**2").for_phases((phase,))
        value = {"stationarity": 1.0, "costate_residual": 0.0, "state_residual": 0.0}
        value |= {"hamiltonian": 0.5, "drift": 0.0}
        return Example(
            cls(),
            problem=Problem((phase,), objective, Data(np.ones((1, 1)))),
            theta=[-1.0, -1.0],
            value={f"move/{name}": number for name, number in value.items()},
        )


def _residuals(course: Course) -> dict[str, float]:
    """The row of the table of one phase."""
    states, lengths = course.states, course.lengths
    steps = [_Step.of(course, k) for k in range(len(lengths))]
    gradients: dict[str, list[Array]] = {}
    for step in steps:
        for name in step.gradients[0]:
            gradients.setdefault(name, []).append(np.stack([pu[name] for pu in step.gradients]))
    defects = {
        "costate_residual": [
            step.defect(_costates(course, k), step.slopes) for k, step in enumerate(steps)
        ],
        "state_residual": [
            step.defect(states[k : k + 2], step.rates) for k, step in enumerate(steps)
        ],
    }
    energies = np.array([step.energies for step in steps])[:, ::2]
    return {
        "stationarity": _stationarity(course, gradients),
        **{
            name: float(np.sqrt(np.sum(np.square(values) / np.abs(lengths))))
            for name, values in defects.items()
        },
        "hamiltonian": float(np.mean(energies)),
        "drift": float(np.max(energies) - np.min(energies)),
    }


def _stationarity(course: Course, gradients: dict[str, list[Array]]) -> float:
    """From H_u at three places of each step, (3, *shape) for each control."""
    assert course.march is not None  # noqa: S101 - only integrated phases are looked at
    stages, total = course.march.stages, 0.0
    one = stages.space.size(stages.steps) == 1
    for name, values in gradients.items():
        if one or name in stages.constants:
            pairs = zip(course.lengths, values, strict=True)
            total += float(np.sum(sum(h * np.tensordot(SIMPSON, g, 1) for h, g in pairs) ** 2))
            continue
        for h, g in zip(np.abs(course.lengths), values, strict=True):
            total += h * float(SIMPSON @ np.sum(g.reshape(3, -1) ** 2, axis=1))
    return float(np.sqrt(total))


@dataclass(frozen=True)
class _Step:
    """f, −H_x, H_u and H at both ends and in the middle of a step."""

    length: float
    rates: list[Array]
    slopes: list[Array]
    gradients: list[Controls]
    energies: list[float]

    @classmethod
    def of(cls, course: Course, k: int) -> _Step:
        """The middle is that of the cubics through the ends."""
        h, field = float(course.lengths[k]), course.field
        times = course.times[k] + h * np.array(PLACES)
        u = course.controls_at(k, PLACES)
        ends = [
            _at(field, times[2 * i], course.states[k + i], _costates(course, k)[i], u[2 * i])
            for i in (0, 1)
        ]
        middle = [
            (a + b) / 2 + h / 8 * (da - db)
            for (a, b), (da, db) in (
                (course.states[k : k + 2], (ends[0][0], ends[1][0])),
                (_costates(course, k), (ends[0][1], ends[1][1])),
            )
        ]
        between = _at(field, times[1], middle[0], middle[1], u[1])
        points = (ends[0], between, ends[1])
        rates, slopes = [each[0] for each in points], [each[1] for each in points]
        return cls(h, rates, slopes, [each[2] for each in points], [each[3] for each in points])

    def defect(self, ends: list[Array], rates: list[Array]) -> float:
        """‖b − a − h (r₀ + 4 r₁ + r₂)/6‖."""
        first, middle, last = rates
        integral = self.length * (first + 4 * middle + last) / 6
        return float(np.linalg.norm(ends[1] - ends[0] - integral))


def _costates(course: Course, k: int) -> list[Array]:
    """At both ends of step k, as limits from inside; they jump where the state is observed."""
    return [course.pulled[k], course.costates[k + 1]]


def _at(
    field: Dynamics, t: float, x: Array, p: Array, u: Controls
) -> tuple[Array, Array, Controls, float]:
    """f, −H_x, H_u and H."""
    f, part = field.linearize(float(t), x, u)
    px, pu = part.vjp(p)
    return f, -px, pu, float(np.sum(p * f))
