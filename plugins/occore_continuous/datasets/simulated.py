"""Simulated trajectories: observations of an ODE with known rates, for the recovery of models.

    dx/dt = f(t, x),    c_ik = x_i(t_ik) + noise · ε,    ε standard normal

f is given as expressions and integrated by SciPy's DOP853 to a relative 1e-10. Several trajectories
begin at random times of the one from the start, as the batches of Chen et al., Neural ordinary
differential equations (2018), section 5 and the demo of its code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field
from scipy.integrate import solve_ivp

from occore import (
    Array,
    Data,
    DataError,
    Dataset,
    Example,
    ExpressionDynamics,
)
from occore_continuous.datasets.observed import Trajectory, observed
from occore_least_squares.datasets.content import array_digest

Finite = Annotated[float, Field(allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class Simulated(Dataset):
    """Trajectories of rates that are given as expressions, observed with noise.

    Times count from the start of each trajectory; the rates see the time since the first start.
    """

    states: Annotated[tuple[str, ...], Field(min_length=1, description="names of the states")]
    rates: Annotated[
        Mapping[str, str], Field(description="d/dt of each state, in t, states and parameters")
    ]
    start: Annotated[tuple[Finite, ...], Field(description="of the first trajectory, by state")]
    horizon: Annotated[float, Field(gt=0, allow_inf_nan=False, description="of each trajectory")]
    observations: Annotated[int, Field(gt=0, description="of each trajectory, after its start")]
    parameters: Annotated[Mapping[str, Finite], Field(description="numbers by name")] = field(
        default_factory=dict
    )
    trajectories: Annotated[int, Field(gt=0, description="how many there are")] = 1
    spread: Annotated[
        NonNegative, Field(description="the others begin between the times 0 and this one")
    ] = 0.0
    irregular: Annotated[
        bool, Field(description="times drawn for each trajectory, not the same and equidistant")
    ] = False
    noise: Annotated[
        NonNegative, Field(description="standard deviation of the errors, also of the starts")
    ] = 0.0

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All trajectories. Raises DataError for wrong names, and where the solution ends early."""
        if len(self.start) != len(self.states):
            raise DataError(f"start has {len(self.start)} numbers for {len(self.states)} states")
        begins = np.concatenate(
            [[0.0], np.sort(rng.uniform(0, self.spread, self.trajectories - 1))]
        )
        solution = self._solution()
        made = []
        for begin in begins:
            times = self._times(rng)
            values = solution(begin + times).T
            values = values + self.noise * rng.standard_normal(values.shape)
            made.append(Trajectory(values[0], times, values))
        digest = array_digest(*(part for each in made for part in (each.times, each.values)))
        return observed(made, self.states, digest)

    def _times(self, rng: np.random.Generator) -> Array:
        """0, and the times of the observations."""
        count = self.observations
        if not self.irregular:
            return np.linspace(0.0, self.horizon, count + 1)
        drawn = np.sort(rng.uniform(0.0, self.horizon, count))
        return np.concatenate([[0.0], drawn])

    def _solution(self) -> Any:
        """The trajectory from the start on, as a function of time."""
        field = ExpressionDynamics(self.states, (), self.rates, (), self.parameters)

        def rate(t: float, x: Array) -> Array:
            return field(t, x[None], {})[0]

        end = self.spread + self.horizon
        tolerances = {"rtol": 1e-10, "atol": 1e-12}
        found: Any = solve_ivp(
            rate, (0.0, end), self.start, method="DOP853", dense_output=True, **tolerances
        )
        if not found.success or not np.all(np.isfinite(found.y)):
            raise DataError(f"the solution ends before the time {end:g}: {found.message}")
        return found.sol

    @classmethod
    def example(cls) -> Example:
        """Three trajectories of a decay."""
        return Example(
            cls(
                states=("x", "y"),
                rates={"x": "-k*x", "y": "x"},
                parameters={"k": 0.5},
                start=(1.0, 0.0),
                horizon=2.0,
                observations=4,
                trajectories=3,
                spread=1.0,
                irregular=True,
                noise=0.01,
            ),
            value=(3, 2),
        )
