"""Discretization: turns a dynamics into steps; a step is itself a map of (x, u)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from occore.arrays import Array, Controls
from occore.dynamics import Dynamics
from occore.interface import Interface
from occore.linearization import Linearization


class Discretization(Interface):
    """One step x(t) → x(t + h) of dx/dt = f(t, x, u(t)).

    A step sees the controls at its own stage times t + c h only, for the `abscissae` c. `control`
    holds them: each array has a leading axis with one entry for each abscissa. The step is a map of
    (x, control), so its linearization has the products of any other map.
    """

    order: ClassVar[int]
    """Order of consistency: the error of one step is O(h^(order + 1)) for smooth f."""

    abscissae: ClassVar[tuple[float, ...]]
    """Where in the step, from 0 to 1, the controls are needed; increasing."""

    tableau: ClassVar[Any] = None
    """Optional: the tableau of a method that is a Runge–Kutta method and nothing else.

    It has `matrix` (s, s), `b` (s,) and `times` (s,), the `places` (s,) of the stage times among
    the abscissae, and `fields`, empty unless the stages evaluate parts of a split dynamics. Where
    the tableau is explicit, marches of symbolic fields run in compiled loops.
    """

    reach: ClassVar[tuple[float, float] | None] = None
    """Optional, for methods without a tableau: (r, i), how far from 0 a step is stable.

    h λ may lie on [−r, 0] and on i [−i, i]; from an explicit tableau this follows.
    """

    @abstractmethod
    def step(self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls) -> Array:
        """The state at t + h."""

    step_with_error: (
        Callable[[Dynamics, float, float, Array, Controls], tuple[Array, Array]] | None
    ) = None
    """Optional: the same state as `step`, and an estimate of its error, of the shape of the state.

    The estimate is of order `error_order`: O(h^(error_order + 1)).
    """

    error_order: ClassVar[int]
    """Order of the embedded method that the error is estimated with."""

    dense_output: Callable[[Dynamics, float, float, Array, Controls, Array], Array] | None = None
    """Optional: states at t + s h for relative times s (M,) in [0, 1], (M, samples, …)."""

    dense_order: ClassVar[int]
    """Order of the dense output at fixed s."""

    retreat: Callable[[Dynamics, float, float, Array, Controls], Array] | None = None
    """Optional: the x whose step gives the state, to rounding; for steps that can be reversed."""

    @abstractmethod
    def linearize_step(
        self, dynamics: Dynamics, t: float, h: float, x: Array, control: Controls
    ) -> tuple[Array, Linearization]:
        """The state at t + h, and its derivative with respect to (x, control)."""
