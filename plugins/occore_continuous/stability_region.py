"""Stability regions: where the steps of a method do not amplify dx/dt = λ x.

    x(t + h) = R(h λ) x(t),    S = {z : |R(z)| ≤ 1},    R(z) = 1 + z bᵀ (1 − z A)⁻¹ 1

The formula is that of a tableau; a method without one makes a step. For the symplectic methods S
is a piece of the imaginary axis, see `Discretization.reach`; a method that treats parts of f in
different ways has no region of its own. Hairer and Wanner II, sections IV.2 and IV.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np

from occore import (
    Array,
    Controls,
    Discretization,
    Dynamics,
    InputError,
    Layout,
    Linearization,
    LinearMap,
    StructureError,
)

EXTENT = (-7.0, 7.0, -7.0, 7.0)
"""Of a picture: real and imaginary parts of z, which holds the regions of all bundled methods."""

POINTS = 401


def amplification(method: Discretization, z: Array) -> Array:
    """|R(z)| of complex numbers z of any shape, by which a step multiplies the size of x.

    Raises InputError for a method that has no stability function of one variable.
    """
    z = np.asarray(z, complex)
    tableau = method.tableau
    if tableau is None:
        return _by_a_step(method, z.ravel()).reshape(z.shape)
    if tableau.fields:
        raise _without(method)
    n = tableau.active
    A, b = np.array(tableau.matrix)[:n, :n], np.array(tableau.b, float)[:n]
    system = np.eye(n) - z[..., None, None] * A
    stages = np.linalg.solve(system, np.ones((*z.shape, n, 1)))[..., 0]
    return np.abs(1 + z * (stages @ b))


def plot_stability_region(
    method: Discretization,
    axes: Any,
    *,
    extent: tuple[float, float, float, float] = EXTENT,
    color: str = "C0",
    label: str | None = None,
) -> None:
    """Draw S into matplotlib axes: shaded with its boundary, or a piece of the imaginary axis.

    extent: smallest and largest real part, smallest and largest imaginary part that is drawn.
    Raises InputError for a method without a stability function of one variable.
    """
    left, right, low, high = extent
    if method.tableau is None and method.reach is not None:
        real, imaginary = method.reach
        axes.plot([-real, 0], [0, 0], color=color)
        axes.plot([0, 0], [-imaginary, imaginary], color=color, linewidth=3)
    else:
        x, y = np.meshgrid(np.linspace(left, right, POINTS), np.linspace(low, high, POINTS))
        size = amplification(method, x + 1j * y)
        axes.contourf(x, y, size, levels=[0, 1], colors=[color], alpha=0.15)
        axes.contour(x, y, size, levels=[1], colors=[color], linewidths=1.2)
    axes.plot([], [], color=color, label=label or _name(method))
    axes.axhline(0, color="0.8", linewidth=0.6, zorder=0)
    axes.axvline(0, color="0.8", linewidth=0.6, zorder=0)
    axes.set(xlim=(left, right), ylim=(low, high), aspect="equal", xlabel="Re z", ylabel="Im z")


@dataclass(frozen=True)
class Turning(Dynamics):
    """dx/dt = λ x of samples with a λ each; x (samples, 2) holds real and imaginary part."""

    controls: ClassVar[Layout] = Layout({})
    autonomous: ClassVar[bool] = True

    rates: Array

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """λ x."""
        return self._times(self.rates, x)

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The same map, and its transpose, the product with the conjugate of λ."""
        forward = partial(self._times, self.rates)
        return forward(x), LinearMap(forward, partial(self._times, self.rates.conj()))

    @staticmethod
    def _times(rates: Array, x: Array) -> Array:
        y = rates * (x[:, 0] + 1j * x[:, 1])
        return np.stack([y.real, y.imag], axis=1)


def _by_a_step(method: Discretization, z: Array) -> Array:
    """|R(z)| of a step over the time 1 from x = 1."""
    if method.reach is not None:
        raise _without(method)
    start = np.tile([1.0, 0.0], (len(z), 1))
    try:
        return np.linalg.norm(method.step(Turning(z), 0.0, 1.0, start, {}), axis=1)
    except StructureError as error:  # it asks for the parts of f
        raise _without(method) from error


def _without(method: Discretization) -> InputError:
    return InputError(
        f"{_name(method)} treats parts of x or f in different ways and has no stability function "
        "of one variable; take a Runge–Kutta method, such as rk4 or sdirk3"
    )


def _name(method: Discretization) -> str:
    return type(method).__name__
