"""Runge–Kutta methods: a method is its tableau and the way in which its stages are found.

    k_i = f(t + c_i h, x + h Σ_j a_ij k_j, u_i),    y = x + h Σ_i b_i k_i
    error ≈ h Σ_i (b_i − b̂_i) k_i,    x(t + s h) ≈ x + h Σ_i b_i(s) k_i

`successive_stages` finds the stages one after the other, `coupled_stages` all at once.

Hairer, Nørsett and Wanner I, section II.1; for symmetric methods Hairer, Lubich and Wanner (2006),
section V.2.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar, Protocol

import numpy as np

from occore import (
    Array,
    Controls,
    Discretization,
    Dynamics,
    Linearization,
    abstract_attribute,
)
from occore_continuous.discretizations.stages import combine, reverse, scaled, weighted_sum
from occore_continuous.discretizations.tableau import Tableau


class Stages(Protocol):
    """The stages of one step: of a dynamics, at t, over h, with its controls."""

    def values(self, x: Array, count: int) -> list[Array]:
        """k of the first `count` stages."""
        ...

    def linearize(self, x: Array) -> tuple[list[Array], Linearization]:
        """k of the stages that the step uses, and the derivative of the step."""
        ...


class RungeKutta(Discretization):
    """Steps by a tableau. Error estimate, dense output and way back are there where it has them."""

    tableau: ClassVar[Tableau] = abstract_attribute()

    @abstractmethod
    def stages(self, dynamics: Dynamics, t: float, h: float, control: Controls) -> Stages:
        """The stages of a step."""

    @property
    def abscissae(self) -> tuple[float, ...]:
        """The distinct stage times."""
        return self.tableau.abscissae

    def step(self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls) -> Array:
        """x + h Σ b_i k_i."""
        k = self.stages(dynamics, t, h, control).values(x, self.tableau.active)
        return combine(x, scaled(self.tableau.weights, h, k))

    def linearize_step(
        self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls
    ) -> tuple[Array, Linearization]:
        """The same, and its derivative from those of the stages."""
        k, part = self.stages(dynamics, t, h, control).linearize(x)
        return combine(x, scaled(self.tableau.weights, h, k)), part

    @property
    def step_with_error(
        self,
    ) -> Callable[[Dynamics, float, float, Array, Controls], tuple[Array, Array]] | None:
        """The step and the estimate of its error, where there is an embedded method."""
        return self._step_with_error if self.tableau.embedded else None

    @property
    def dense_output(
        self,
    ) -> Callable[[Dynamics, float, float, Array, Controls, Array], Array] | None:
        """x + h Σ b_i(s) k_i, where there are such weights."""
        return None if self.tableau.dense is None else self._dense_output

    @property
    def retreat(self) -> Callable[[Dynamics, float, float, Array, Controls], Array] | None:
        """The step with −h from t + h, where the method is symmetric."""
        return self._retreat if self.tableau.symmetric else None

    def _step_with_error(
        self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls
    ) -> tuple[Array, Array]:
        tableau = self.tableau
        k = self.stages(dynamics, t, h, control).values(x, tableau.active_with_error)
        errors = (weighted_sum(scaled(weights, h, k)) for weights in tableau.errors)
        return combine(x, scaled(tableau.weights, h, k)), tableau.estimate(*errors)

    def _dense_output(
        self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls, s: Array
    ) -> Array:
        assert self.tableau.dense is not None  # noqa: S101 - `dense_output` asks for it
        weights = [np.asarray(w) for w in self.tableau.dense(np.asarray(s, float))]
        k = self.stages(dynamics, t, h, control).values(x, len(weights))
        columns = (w.astype(x.real.dtype).reshape(-1, *(1,) * x.ndim) for w in weights)
        return x + h * sum(w * ki for w, ki in zip(columns, k, strict=True))

    def _retreat(
        self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls
    ) -> Array:
        return self.step(dynamics, t + h, -h, x, reverse(control))
