"""The controls at some places of one step, their rates in time, and the adjoint of that."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from occore.arrays import Array, Controls
from occore.controls import evaluate
from occore.stage_controls import stage_values

if TYPE_CHECKING:
    from occore.adjoint import March

WINDOW = 1e-3
"""Width of the points for a rate, in steps; small, so that it seldom reaches over a knot."""


@dataclass(frozen=True)
class StepControls:
    """Places in [0, 1] of a step from t over h, a part of the step `within` (start, length).

    The pieces of the controls are those of the step that it is a part of.
    """

    march: March
    t: float
    h: float
    places: tuple[float, ...]
    within: tuple[float, float]

    @cached_property
    def _relative(self) -> tuple[Array, Array]:
        """Relative times, and points inside the step off its ends."""
        ends = self.march.grid.times
        start, horizon = float(ends[0]), float(ends[-1] - ends[0])
        times = (self.t - start + np.asarray(self.places) * self.h) / horizon
        middle = (self.within[0] - start + self.within[1] / 2) / horizon
        return times, middle + (1 - 1e-6) * (times - middle)

    @cached_property
    def basis(self) -> Any:
        """Rows of the basis matrix."""
        return self.march.space.basis(self.march.steps, *self._relative)

    def values(self, coefficients: Controls) -> Controls:
        """The controls (places, *shape), with one-sided limits at the ends of the step."""
        constants, count = self.march.dynamics.constants, len(self.places)
        basis = self.basis if coefficients.keys() - constants else None
        return stage_values(basis, coefficients, constants, count)

    def transpose(self, pu: Controls) -> Controls:
        """The adjoint of `values`."""
        constants = self.march.dynamics.constants
        return {
            name: np.sum(p, axis=0)
            if name in constants
            else evaluate(self.basis.T, {name: p})[name]
            for name, p in pu.items()
        }

    def rates(self, coefficients: Controls) -> Controls:
        """du/dt at the places, of the controls that vary in time.

        Exact for the piecewise polynomials of degree 4 or less that control spaces are made of:
        the derivative of the polynomial through five points of the piece.
        """
        constants = self.march.dynamics.constants
        varying = {n: c for n, c in coefficients.items() if n not in constants}
        if not varying:
            return {}
        times, inside = self._relative
        width = WINDOW / self.march.steps
        middle = np.clip(times, 2 * width, 1 - 2 * width)
        nodes = np.arange(-2.0, 3.0)
        points = (middle + nodes[:, None] * width).ravel()
        matrix = self.march.space.basis(self.march.steps, points, np.tile(inside, len(nodes)))
        samples = _side_by_side(matrix, varying).reshape(len(nodes), len(times), -1)
        places = (times - middle) / width
        powers = np.stack([k * places ** max(k - 1, 0) for k in range(5)])  # d/ds of s^k
        weights = np.linalg.solve(np.vander(nodes, 5, increasing=True).T, powers)
        horizon = float(self.march.grid.times[-1] - self.march.grid.times[0])
        flat = np.einsum("np,npc->pc", weights, samples) / (width * horizon)
        ends = np.cumsum([int(np.prod(c.shape[1:])) for c in varying.values()])
        parts = np.split(flat, ends[:-1], axis=1)
        return {
            name: part.reshape(len(times), *c.shape[1:])
            for (name, c), part in zip(varying.items(), parts, strict=True)
        }


def _side_by_side(matrix: Any, coefficients: Controls) -> Array:
    """All controls at the rows of a basis matrix side by side, (rows, entries)."""
    values = evaluate(matrix, coefficients)
    return np.concatenate([v.reshape(len(v), -1) for v in values.values()], axis=1)
