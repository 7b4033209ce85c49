"""Dynamics whose rates are written once over an array namespace; all derivatives are generated.

symbol   code    shape                 meaning
x        x       (samples, states)     state; `rates` sees it as numbers by name
u        u       arrays by name        controls, all of them in one vector here
f        value   (samples, states)     rates in the order of `states`
p        py, …   like y, x, u          adjoint; a leading d marks a tangent
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from occore.arrays import Array, Controls, array_namespace
from occore.dynamics import Dynamics, StateShape
from occore.errors import InputError
from occore.interface import overridable
from occore.layout import Layout
from occore.linearization import Linearization
from occore.symbolic.kernels import Compiler, Kernels, kernels
from occore.time_control import TIME


class SymbolicDynamics(Dynamics):
    """A right-hand side with named scalar states, given by `rates` alone.

    A subclass is a frozen dataclass that has `states` and `controls` as class attributes, fields or
    properties. Derivatives are exact, also second ones and those in t. The kernels are generated on
    first use; for Numba, which compiles them for float64 and float32, set `compiler = "numba"`.
    """

    states: tuple[str, ...]
    """Names of the entries of the state."""

    compiler: Compiler = "numpy"
    """What runs the kernels: "numpy" for arrays of any library, or "numba", fast on few samples."""

    @abstractmethod
    def rates(self, t: Any, x: Mapping[str, Any], u: Mapping[str, Any]) -> Mapping[str, Any]:
        """d/dt of each state by name, in the functions of the arguments' namespace.

        t and each x[name] are arrays of shape (), each u[name] has the shape that `controls` says.
        Called once for the kernels, with symbols: it must not branch on their values.
        """

    @classmethod
    @overridable
    def for_state(cls, state_shape: StateShape, **options: Any) -> Self:
        """The dynamics with these options. Raises InputError if the state has other components."""
        dynamics = cls(**options)
        dynamics.require_shape(state_shape)
        return dynamics

    def require_shape(self, state_shape: StateShape) -> None:
        """Raise InputError if the state is not a vector of as many numbers as there are names."""
        if tuple(state_shape) != self.state_shape:
            raise InputError(
                f"{type(self).__name__} has the {len(self.states)} states "
                f"{', '.join(self.states)}; the incoming state has the shape {tuple(state_shape)}"
            )

    @property
    def state_shape(self) -> StateShape:
        """(number of states,)."""
        return (len(self.states),)

    @cached_property
    def kernels(self) -> Kernels:
        """The kernels of f, for optimizers that evaluate many points at once and for time loops."""
        from occore.symbolic.tracing import trace_rates

        return kernels(trace_rates(self), self.compiler)

    @property
    def autonomous(self) -> bool:
        """Whether the rates do not use t."""
        return self.kernels.tape.autonomous

    def jacobian(self, t: float, x: Array, u: Controls) -> Array:
        """f_x, dense: (samples, states, states)."""
        kernel, count = self.kernels.jacobian, len(self.states)
        values = np.atleast_2d(kernel(t, x, flat(self.controls, u, x)))
        result = np.zeros((x.shape[0], count, count), values.dtype)
        for place, (row, column) in enumerate(kernel.tape.pattern):
            if column < count:
                result[:, row, column] = values[:, count + place]
        return result

    def __getstate__(self) -> dict[str, Any]:
        # kernels are made anew where a worker needs them: generated functions cannot be pickled
        return {name: value for name, value in vars(self).items() if name != "kernels"}

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """f(t, x, u), of shape (samples, states)."""
        return self.kernels.value(t, x, flat(self.controls, u, x))

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value, and the derivative, which evaluates what it needs when it is asked."""
        return linearization(self.kernels, self.controls, t, x, u)

    def linearize_in_time(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The same, with t among the controls."""
        return linearization_in_time(self.kernels, self.controls, t, x, u)


def linearization(
    kernels: Kernels, layout: Layout, t: float, x: Array, u: Controls
) -> tuple[Array, SymbolicLinearization]:
    """The value of kernels (samples, outputs) and the derivative in x and the controls u."""
    theta = flat(layout, u, x)
    return kernels.value(t, x, theta), SymbolicLinearization(kernels, layout, t, x, theta)


def linearization_in_time(
    kernels: Kernels, layout: Layout, t: float, x: Array, u: Controls
) -> tuple[Array, SymbolicLinearization]:
    """The same, with t among the controls."""
    time = array_namespace(x).asarray(t, dtype=x.dtype)
    with_time = layout + Layout({TIME: ()})
    return linearization(kernels.in_time, with_time, t, x, {**u, TIME: time})


@dataclass(frozen=True)
class SymbolicLinearization(Linearization):
    """The derivative of f at (t, x, u), by generated kernels; holds the point only."""

    kernels: Kernels
    layout: Layout
    t: float
    x: Array
    u: Array

    def jvp(self, dx: Array, du: Controls) -> Array:
        """f_x dx + f_u du."""
        return self.kernels.jvp(self.t, self.x, self.u, dx, flat(self.layout, du, dx))

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """(f_xᵀ py, f_uᵀ py)."""
        return self._split(self.kernels.vjp(self.t, self.x, self.u, py))

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """The derivative of the vjp along (dx, du)."""
        d = flat(self.layout, du, dx)
        return self._split(self.kernels.curvature(self.t, self.x, self.u, py, dx, d))

    def _split(self, p: Array) -> tuple[Array, Controls]:
        """p (samples, states + controls) as px and pu, which is summed over the samples."""
        states = self.x.shape[1]
        pu = p[0, states:] if p.shape[0] == 1 else array_namespace(p).sum(p[:, states:], axis=0)
        return p[:, :states], self.layout.unflatten(pu)


def flat(layout: Layout, u: Controls, like: Array) -> Array:
    """All controls in one vector (size,), for kernels that also take the array `like`."""
    if isinstance(like, np.ndarray):  # the way of the generic code, without its calls
        parts = [np.asarray(u[name]).reshape(-1) for name in layout.shapes]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.zeros(0, like.dtype)
    xp = array_namespace(like)
    parts = [xp.reshape(xp.asarray(u[name]), (-1,)) for name in layout.shapes]
    return xp.concat(parts) if parts else xp.zeros((0,), dtype=like.dtype)
