"""Misfit of observed trajectories: how far states are from what was measured, where it was.

    Φ(x; c) = ½ Σ_i Σ_k Σ_j m_ikj ((x_ij(t_k) − c_ikj) / σ_j)²

symbol   code       shape                          meaning
x        x          (samples, times, states)       states at the times of the observations
c        target     (samples, times, states)       what was measured; NaN where nothing was
m        weight     (samples, times, states)       1 where there is a measurement, else 0, over σ
σ        deviation  one number, or (states,)       standard deviation of a measurement
r        residual   like x                         m (x − c) / σ, so that Φ = ½‖r‖²

With independent Gaussian errors of deviation σ the minimiser is the maximum of the likelihood.
Samples that are observed at times of their own share the union of all times; states that are never
observed are NaN throughout. Bock, Recent advances in parameter identification techniques for ODE
(1983), section 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from occore import (
    Array,
    Data,
    Example,
    InputError,
    ObjectiveLinearization,
    TerminalObjective,
    array_namespace,
)

Deviation = Annotated[float, Field(gt=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class ObservationMisfit(TerminalObjective):
    """½ Σ ((x − c)/σ)² over the numbers that were observed; NaN says that one was not."""

    sum_of_squares: ClassVar[bool] = True
    affine_residual: ClassVar[bool] = True

    deviation: Annotated[
        Deviation | tuple[Deviation, ...],
        Field(description="standard deviation of the observations, or one for each state"),
    ] = 1.0

    def __call__(self, x: Array, target: Array) -> Array:
        """Φ."""
        r = self._residual(x, target)[0]
        return array_namespace(x).sum(r * r) / 2

    def linearize(self, x: Array, target: Array) -> tuple[Array, ObjectiveLinearization]:
        """Φ and its derivatives, all from r."""
        r, weight = self._residual(x, target)
        return array_namespace(x).sum(r * r) / 2, ObservationMisfitLinearization(r, weight)

    def encode_targets(self, data: Data) -> Data:
        """The data as they are. Raises InputError where `deviation` does not fit the states."""
        states = data.targets.shape[-1]
        if isinstance(self.deviation, tuple) and len(self.deviation) != states:
            raise InputError(
                f"deviation has {len(self.deviation)} numbers, but {states} states are observed; "
                "give one for each of them, or one number for all"
            )
        return data

    def _residual(self, x: Array, target: Array) -> tuple[Array, Array]:
        """r, and the weights m / σ."""
        xp = array_namespace(target)
        missing = xp.isnan(target)
        zero = xp.zeros_like(target)
        weight = xp.where(missing, zero, zero + 1) / xp.asarray(self.deviation, dtype=target.dtype)
        return weight * (x - xp.where(missing, zero, target)), weight

    def metrics(self, x: Array, data: Data) -> dict[str, float]:
        """Root mean square error over the observed numbers, and R² against the mean of each state.

        rmse has the unit of the observations; r_squared is left out where nothing varies.
        """
        target = data.targets
        observed = ~np.isnan(target)
        error = np.where(observed, x - target, 0.0)
        squares = float(np.sum(error**2))
        result = {"rmse": float(np.sqrt(squares / np.sum(observed)))}
        axes = tuple(range(target.ndim - 1))
        numbers = np.maximum(np.sum(observed, axis=axes), 1)
        mean = np.sum(np.where(observed, target, 0.0), axis=axes) / numbers
        variation = float(np.sum(np.where(observed, target - mean, 0.0) ** 2))
        return {**result, "r_squared": 1 - squares / variation} if variation > 0 else result

    @classmethod
    def example(cls) -> Example:
        """½ (1² + 2² + 3²) = 7 with σ = (1, 2) and two numbers that were not observed, by hand."""
        nan = float("nan")
        return Example(
            cls(deviation=(1.0, 2.0)),
            x=[[[1.0, 0.0], [5.0, 1.0]], [[2.0, 8.0], [4.0, 1.0]]],
            target=[[[0.0, 4.0], [nan, 1.0]], [[2.0, 2.0], [4.0, nan]]],
            value=7.0,
        )


@dataclass(frozen=True)
class ObservationMisfitLinearization(ObjectiveLinearization):
    """Gradient w r and Hessian w², with the weights w = m / σ."""

    residual: Array
    weight: Array

    def gradient(self) -> Array:
        """w r."""
        return self.weight * self.residual

    def hessian_product(self, d: Array) -> Array:
        """w² d."""
        return self.weight**2 * d

    def gauss_newton_product(self, d: Array) -> Array:
        """All of the Hessian."""
        return self.weight**2 * d

    def residual_jvp(self, d: Array) -> Array:
        """w d."""
        return self.weight * d

    def residual_vjp(self, w: Array) -> Array:
        """w times the weights."""
        return self.weight * w
