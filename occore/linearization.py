"""What a differentiable map knows at one point: its tangent, its adjoint, its second-order adjoint.

A dynamics, a step of a discretization, a phase and a chain of phases are all maps y(x, u) from a
state x (samples, *state_shape) and named controls u. Each hands out a `Linearization`, and whatever
can check one of them checks them all.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from occore.arrays import Array, Controls
from occore.interface import Interface


class Linearization(Interface):
    """The derivative of y(x, u) at one point; holds only what its products need.

    With y_x and y_u the partial derivatives, and ⟨·,·⟩ the sum over all entries,
    ⟨py, jvp(dx, du)⟩ == ⟨px, dx⟩ + ⟨pu, du⟩ for (px, pu) = vjp(py), to rounding.
    No product changes its arguments.
    """

    @abstractmethod
    def jvp(self, dx: Array, du: Controls) -> Array:
        """Tangent dy = y_x dx + y_u du; dy has the shape of y."""

    @abstractmethod
    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """Adjoint (y_xᵀ py, y_uᵀ py): px has the shape of x, pu has the names and shapes of u.

        The sum over samples is part of y_uᵀ.
        """

    curvature: Callable[[Array, Array, Controls], tuple[Array, Controls]] | None = None
    """Second-order adjoint `curvature(py, dx, du)`: d/dε of vjp(py) at (x + ε dx, u + ε du), ε = 0.

    Optional: `None` where a map has no second derivatives to offer.
    """

    second: Callable[[Array, Array, Array, Controls], tuple[Array, Array, Controls]] | None = None
    """Optional: `second(py, dp, dx, du)` gives px, dpx and dpu at once, for less work:

    px = yᵀ py, and (dpx, dpu) = yᵀ dp + curvature(py, dx, du), as a backward sweep needs them.
    """

    control_jvp: Callable[[Controls], Array] | None = None
    """Optional: `jvp(0, du)` for less work, where the state is held, as the data of a chain are."""

    control_vjp: Callable[[Array], Controls] | None = None
    """Optional: pu of `vjp(py)` for less work, where px is not wanted."""

    control_of_each: Callable[[Array], Controls] | None = None
    """Optional: pu of `vjp(py)` of each sample alone, (samples, *shape), before they are summed."""

    control_second: Callable[[Array, Array, Controls], Controls] | None = None
    """Optional: dpu of `second(py, dp, 0, du)` for less work, where the state is held."""


class JointSecond(Linearization):
    """One that has its second-order products at once; `curvature` follows from them."""

    @abstractmethod
    def second(
        self, py: Array, dp: Array, dx: Array, du: Controls
    ) -> tuple[Array, Array, Controls]:
        """px and its derivative, and that of pu, where py itself changes by dp."""

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """The derivatives of px and pu along (dx, du) for a fixed py."""
        _, dpx, dpu = self.second(py, 0 * py, dx, du)
        return dpx, dpu


class Products(Linearization):
    """A linearization given by its products as functions, for models that fit in a few lines."""

    def __init__(
        self,
        jvp: Callable[[Array, Controls], Array],
        vjp: Callable[[Array], tuple[Array, Controls]],
        curvature: Callable[[Array, Array, Controls], tuple[Array, Controls]] | None = None,
    ) -> None:
        self._jvp, self._vjp, self.curvature = jvp, vjp, curvature

    def jvp(self, dx: Array, du: Controls) -> Array:
        """The given tangent."""
        return self._jvp(dx, du)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """The given adjoint."""
        return self._vjp(py)


class LinearMap(Linearization):
    """The derivative of a map that is linear in the state and has no controls: the map itself."""

    def __init__(
        self, forward: Callable[[Array], Array], transpose: Callable[[Array], Array]
    ) -> None:
        self._forward, self._transpose = forward, transpose

    def jvp(self, dx: Array, du: Controls) -> Array:
        """The map of dx."""
        return self._forward(dx)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """Its transpose of py."""
        return self._transpose(py), {}

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """Zero."""
        return 0 * dx, {}
