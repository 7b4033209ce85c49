"""A phase: an integrated dynamics or a static layer; the end state of one is the start of the next.

    dx/dt = f(t, x, u(t)) over the horizon     an integrated phase, with a discretization
    x_out = f(x_in, u)                         a static phase

A phase is a map of (x, u), with u the coefficients of its controls.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from occore.adjoint import March
from occore.arrays import Array, Controls
from occore.controls import ControlSpace
from occore.discretization import Discretization
from occore.dynamics import Dynamics
from occore.layout import Layout
from occore.linearization import Linearization


@dataclass(frozen=True)
class Phase:
    """One link of the chain.

    Without a discretization the phase is static, and `steps`, `horizon` and `space` have no effect.
    """

    name: str
    dynamics: Dynamics
    discretization: Discretization | None = None
    steps: int = 1
    horizon: float = 1.0
    start: float = 0.0
    space: ControlSpace | None = None

    @property
    def march(self) -> March | None:
        """The march over the steps; `None` for a static phase."""
        if self.discretization is None:
            return None
        assert self.space is not None, "an integrated phase has a control space"  # noqa: S101
        return March(
            self.dynamics, self.discretization, self.space, self.steps, self.start, self.horizon
        )

    @property
    def layout(self) -> Layout:
        """Names and shapes of the coefficients; an integrated phase has a leading axis of them."""
        if self.space is None:
            return self.dynamics.controls
        return self.dynamics.controls.stacked(self.space.size(self.steps))

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """Where an optimizer starts; each coefficient in time is drawn on its own."""
        if self.space is None:
            return self.dynamics.initial_controls(rng)
        draws = [self.dynamics.initial_controls(rng) for _ in range(self.space.size(self.steps))]
        return {name: np.stack([draw[name] for draw in draws]) for name in self.dynamics.controls}

    def states(self, x: Array, u: Controls) -> Iterator[Array]:
        """The states after each step; the output alone for a static phase."""
        march = self.march
        return iter([self.dynamics(0.0, x, u)]) if march is None else march.states(x, u)

    def __call__(self, x: Array, u: Controls) -> Array:
        """The end state."""
        for state in self.states(x, u):
            x = state
        return x

    def linearize(self, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The end state, and its derivative with respect to (x, u)."""
        march = self.march
        return self.dynamics.linearize(0.0, x, u) if march is None else march.linearize(x, u)
