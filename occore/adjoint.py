"""The march of an integrated phase over its steps: forward, tangent, adjoint, second-order adjoint.

    x_{k+1} = step(t_k, h, x_k, u_k),    u_k = the controls at the stage times of step k

The controls of all steps come from the coefficients by one sparse product, B c, and their adjoint
goes back by Bᵀ. So the derivative is that of the discrete march, exact to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from occore import composition
from occore.arrays import Array, Controls, array_namespace
from occore.controls import ControlSpace, evaluate
from occore.discretization import Discretization
from occore.dynamics import Dynamics
from occore.linearization import Linearization


@dataclass(frozen=True)
class March:
    """A dynamics, a discretization, and `steps` equal steps from `start` over `horizon`."""

    dynamics: Dynamics
    discretization: Discretization
    space: ControlSpace
    steps: int
    start: float
    horizon: float

    @property
    def h(self) -> float:
        """Length of a step."""
        return self.horizon / self.steps

    def times(self) -> Array:
        """The grid of the state, (steps + 1,)."""
        return self.start + self.horizon * np.arange(self.steps + 1) / self.steps

    def basis(self) -> Any:
        """The sparse matrix (steps · abscissae, size) from coefficients to stage controls."""
        c = np.asarray(self.discretization.abscissae)
        k = np.arange(self.steps)[:, None]
        inside = 0.5 + (1 - 1e-6) * (c - 0.5)  # one-sided limits: off the ends of the step
        times, inside = ((k + c) / self.steps).ravel(), ((k + inside) / self.steps).ravel()
        return self.space.basis(self.steps, times, inside)

    def states(self, x: Array, u: Controls) -> Iterator[Array]:
        """The states x_1, …, x_steps after the start state x, one after the other."""
        stages = self.stages(self.basis(), u)
        for k, control in enumerate(stages):
            t = self.start + k * self.h
            x = self.discretization.step(self.dynamics, t, self.h, x, control)
            yield x

    def linearize(self, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The end state, and the derivative with respect to (x, coefficients)."""
        basis, parts = self.basis(), []
        for k, control in enumerate(self.stages(basis, u)):
            t = self.start + k * self.h
            x, part = self.discretization.linearize_step(self.dynamics, t, self.h, x, control)
            parts.append(part)
        return x, MarchLinearization(self, basis, parts)

    def stages(self, basis: Any, u: Controls) -> list[Controls]:
        """The stage controls of each step: arrays (abscissae, *shape)."""
        values = evaluate(basis, u)
        stages = len(self.discretization.abscissae)
        return [
            {name: value[k * stages : (k + 1) * stages] for name, value in values.items()}
            for k in range(self.steps)
        ]

    def gather(self, basis: Any, pu: list[Controls]) -> Controls:
        """Adjoint of `stages`."""
        if not pu[0]:
            return {}
        xp = array_namespace(*pu[0].values())
        return evaluate(basis.T, {name: xp.concat([p[name] for p in pu]) for name in pu[0]})


@dataclass(frozen=True)
class MarchLinearization(Linearization):
    """The stored linearizations of all steps."""

    march: March
    basis: Any
    parts: list[Linearization]

    def jvp(self, dx: Array, du: Controls) -> Array:
        """Tangent sweep."""
        return composition.jvp(self.parts, dx, self.march.stages(self.basis, du))

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """Adjoint sweep."""
        px, pu = composition.vjp(self.parts, py)
        return px, self.march.gather(self.basis, pu)

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """Second-order adjoint sweep."""
        stages = self.march.stages(self.basis, du)
        dpx, dpu = composition.curvature(self.parts, py, dx, stages)
        return dpx, self.march.gather(self.basis, dpu)
