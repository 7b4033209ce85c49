"""Phase portrait: the field that was learnt, on a lattice over the plane of two states.

name    shape               what is measured
x, y    (points,)           the lattice, over what the data were at their start and when observed
rates   (points, points, 2) f at (y, x), at the start of the phase
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import (
    Array,
    Bolza,
    Data,
    Example,
    ExpressionDynamics,
    InputError,
    Observer,
    Phase,
    Problem,
)

MARGIN = 0.1
"""Of the range of the data, on each side."""


@dataclass(frozen=True)
class PhasePortrait(Observer):
    """The rates of the one integrated phase with two states."""

    points: Annotated[int, Field(gt=1, le=400, description="of the lattice, in each direction")] = (
        25
    )

    def observe(self, problem: Problem, theta: Array, iteration: int) -> dict[str, Array]:
        """The table of the module. Raises InputError where there is no such phase."""
        phase = _planar(problem)
        x, y = (self._axis(problem.data, state) for state in (0, 1))
        lattice = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        start, u = phase.begin(lattice, problem.unflatten(theta)[phase.name])
        stages = phase.march(start, u).stages.controls(u)[0]
        first = {name: value[0] for name, value in stages.items()}
        rates = phase.field(phase.start, lattice, first)
        return {"x": x, "y": y, "rates": rates.reshape(self.points, self.points, 2)}

    def _axis(self, data: Data, state: int) -> Array:
        seen = [np.ravel(data.inputs[..., state])]
        if data.times is not None:
            seen.append(np.ravel(data.targets[..., state]))
        values = np.concatenate(seen)
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        margin = MARGIN * (high - low) or 1.0
        return np.linspace(low - margin, high + margin, self.points)

    @classmethod
    def example(cls) -> Example:
        """A turning field (−y, x) around one start, by hand."""
        from occore_continuous.control_spaces.constant import Constant
        from occore_continuous.discretizations.rk4 import RK4

        dynamics = ExpressionDynamics(("x", "y"), (), {"x": "-w*y", "y": "w*x"}, ("w",))
        phase = Phase("turn", dynamics, RK4(), 2, space=Constant())
        problem = Problem(
            (phase,), Bolza(terminal="x**2 + w").for_phases((phase,)), Data(np.ones((1, 2)))
        )
        x = [0.0, 2.0]
        rates = [[[0.0, 0.0], [0.0, 4.0]], [[-4.0, 0.0], [-4.0, 4.0]]]
        return Example(
            cls(points=2), problem=problem, theta=[2.0], value={"x": x, "y": x, "rates": rates}
        )


def _planar(problem: Problem) -> Phase:
    """The integrated phase whose states are a plane, and come from the data."""
    integrated = [phase for phase in problem.phases if not phase.static]
    if len(integrated) != 1 or problem.phases[0] is not integrated[0]:
        raise InputError("phase_portrait looks at the one integrated phase, which comes first")
    if problem.data.inputs.shape[1:] != (2,):
        raise InputError(
            f"phase_portrait looks at two states; the data have the shape "
            f"{problem.data.inputs.shape[1:]}"
        )
    return integrated[0]
