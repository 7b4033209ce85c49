"""Running costs: integrated by the same steps as the state, as an entry more of it.

    d/dt [x; c] = [f(t, x, u); ℓ(t, x, u)],    c(start) = 0,    J contains Σ_samples c(end)

So the quadrature of the cost has the order of the integrator and its adjoint is discrete-exact; it
stays out of the error norm of adaptive steps. The state with its cost is flat: (samples, n + 1).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from occore.arrays import Array, Controls, array_namespace
from occore.bordered import bordered, bordered_blocks
from occore.dynamics import Dynamics, StateShape
from occore.events import Event
from occore.layout import Layout
from occore.linearization import Linearization, Products
from occore.objective import RunningObjective
from occore.phase import Phase
from occore.time_control import linearize_in_time


@dataclass(frozen=True)
class WithCost(Dynamics):
    """A field whose state carries a running cost as its last entry."""

    field: Dynamics
    cost: RunningObjective
    shape: StateShape
    """Of the state of the field."""

    @property
    def controls(self) -> Layout:
        """Those of the field."""
        return self.field.controls

    @property
    def constants(self) -> frozenset[str]:
        """Those of the field."""
        return self.field.constants

    @property
    def autonomous(self) -> bool:
        """Where field and cost are."""
        return self.field.autonomous and self.cost.autonomous

    @property
    def quadratures(self) -> int:
        """The cost stays out of error norms."""
        return 1

    @property
    def output_shape(self) -> StateShape:
        """(n + 1,)."""
        return (math.prod(self.shape) + 1,)

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """Those of the field."""
        return self.field.initial_controls(rng)

    @property
    def jacobian(self) -> Callable[[float, Array, Controls], Any] | None:
        """[[f_x, 0], [ℓ_x, 0]], where the field has its part."""
        return None if self.field.jacobian is None else self._jacobian

    def _jacobian(self, t: float, x: Array, u: Controls) -> Any:
        assert self.field.jacobian is not None  # noqa: S101 - `jacobian` asks for it
        state = self.split(x)
        J, (value, part) = self.field.jacobian(t, state, u), self.cost.linearize(t, state, u)
        g = part.vjp(array_namespace(value).ones_like(value))[0].reshape(len(x), -1)
        return bordered(J, g) if J.ndim == 3 else bordered_blocks(J, g)

    @property
    def splitting(self) -> Callable[[], tuple[Dynamics, Dynamics]] | None:
        """That of the field; the cost is part of the explicit one, since nothing depends on it."""
        return None if self.field.splitting is None else self._splitting

    def _splitting(self) -> tuple[Dynamics, Dynamics]:
        assert self.field.splitting is not None  # noqa: S101 - `splitting` asks for it
        explicit, implicit = self.field.splitting()
        return replace(self, field=explicit), replace(self, field=implicit, cost=NoCost())

    @property
    def linear_part(self) -> Callable[[], Array] | None:
        """[[M, 0], [0, 0]], where the field has M."""
        return None if self.field.linear_part is None else self._linear_part

    def _linear_part(self) -> Array:
        assert self.field.linear_part is not None  # noqa: S101 - `linear_part` asks for it
        return bordered(self.field.linear_part())

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """[f; ℓ]."""
        state = self.split(x)
        return join(self.field(t, state, u), self.cost(t, state, u))

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """[f; ℓ] and its derivative."""
        state = self.split(x)
        f, field = self.field.linearize(t, state, u)
        cost, part = self.cost.linearize(t, state, u)
        return join(f, cost), WithCostLinearization(self, field, part)

    def linearize_in_time(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The same, with t among the controls."""
        state = self.split(x)
        f, field = linearize_in_time(self.field, t, state, u)
        cost, part = linearize_in_time(self.cost, t, state, u)
        return join(f, cost), WithCostLinearization(self, field, part)

    def split(self, x: Array) -> Array:
        """The state of the field in a state with its cost."""
        return unjoin(x, self.shape)


@dataclass(frozen=True)
class WithCostLinearization(Linearization):
    """Field and cost one above the other; neither depends on the cost so far."""

    owner: WithCost
    field: Linearization
    cost: Linearization

    def jvp(self, dx: Array, du: Controls) -> Array:
        """[df; dℓ]."""
        d = self.owner.split(dx)
        return join(self.field.jvp(d, du), self.cost.jvp(d, du))

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """f_ᵀ p + ℓ_ᵀ p_c, and zero for the cost so far."""
        px, pu = self.field.vjp(self.owner.split(py))
        qx, qu = self.cost.vjp(py[:, -1])
        return _zero_cost(px + qx), {name: pu[name] + qu[name] for name in pu}

    @property
    def curvature(self):
        """Where both have one."""
        both = self.field.curvature is not None and self.cost.curvature is not None
        return self._curvature if both else None

    def _curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        assert self.field.curvature is not None and self.cost.curvature is not None  # noqa: S101
        d = self.owner.split(dx)
        px, pu = self.field.curvature(self.owner.split(py), d, du)
        qx, qu = self.cost.curvature(py[:, -1], d, du)
        return _zero_cost(px + qx), {name: pu[name] + qu[name] for name in pu}


def join(x: Array, cost: Array) -> Array:
    """A state with its cost, flat: (samples, n + 1)."""
    xp = array_namespace(x)
    return xp.concat([xp.reshape(x, (x.shape[0], -1)), cost[:, None]], axis=1)


def _zero_cost(px: Array) -> Array:
    return join(px, 0 * array_namespace(px).reshape(px, (px.shape[0], -1))[:, 0])


@dataclass(frozen=True)
class NoCost(RunningObjective):
    """ℓ = 0."""

    autonomous: ClassVar[bool] = True

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """Zeros."""
        return 0 * array_namespace(x).reshape(x, (x.shape[0], -1))[:, 0]

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """Zeros."""
        return self(t, x, u), Products(
            lambda dx, du: self(t, dx, du),
            lambda py: (0 * x, {name: 0 * value for name, value in u.items()}),
            lambda py, dx, du: (0 * dx, {name: 0 * value for name, value in du.items()}),
        )


@dataclass(frozen=True)
class WithoutCost(RunningObjective):
    """A function of the state, seen from a state with its cost."""

    inner: RunningObjective
    shape: StateShape

    @property
    def autonomous(self) -> bool:
        """Where it is."""
        return self.inner.autonomous

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """Of the state alone."""
        return self.inner(t, unjoin(x, self.shape), u)

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value and its derivative."""
        value, part = self.inner.linearize(t, unjoin(x, self.shape), u)
        return value, WithoutCostLinearization(self.shape, part)

    def linearize_in_time(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The same, with t among the controls."""
        value, part = linearize_in_time(self.inner, t, unjoin(x, self.shape), u)
        return value, WithoutCostLinearization(self.shape, part)


@dataclass(frozen=True)
class WithoutCostLinearization(Linearization):
    """That of the function; its derivative in the cost is zero."""

    shape: StateShape
    part: Linearization

    def jvp(self, dx: Array, du: Controls) -> Array:
        """Along the state alone."""
        return self.part.jvp(unjoin(dx, self.shape), du)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """[px; 0]."""
        px, pu = self.part.vjp(py)
        return _zero_cost(px), pu

    @property
    def curvature(self):
        """Where the function has one."""
        return None if self.part.curvature is None else self._curvature

    def _curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        assert self.part.curvature is not None  # noqa: S101 - `curvature` asks for it
        px, pu = self.part.curvature(py, unjoin(dx, self.shape), du)
        return _zero_cost(px), pu


@dataclass(frozen=True)
class RunningTotal(RunningObjective):
    """Σ weight · ℓ of several running terms."""

    weighted: tuple[tuple[float, RunningObjective], ...]

    @property
    def autonomous(self) -> bool:
        """Where all of them are."""
        return all(term.autonomous for _, term in self.weighted)

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """The sum."""
        return sum(weight * term(t, x, u) for weight, term in self.weighted)

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The sum, and the sum of the products."""
        return self._sum([term.linearize(t, x, u) for _, term in self.weighted])

    def linearize_in_time(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The same, with t among the controls."""
        return self._sum([linearize_in_time(term, t, x, u) for _, term in self.weighted])

    def _sum(self, pairs: list[tuple[Array, Linearization]]) -> tuple[Array, Linearization]:
        values, parts = zip(*pairs, strict=True)
        weights = [weight for weight, _ in self.weighted]
        total = sum(weight * value for weight, value in zip(weights, values, strict=True))
        return total, Sum(tuple(zip(weights, parts, strict=True)))


@dataclass(frozen=True)
class Sum(Linearization):
    """Σ weight · linearization of maps of the same (x, u)."""

    weighted: tuple[tuple[float, Linearization], ...]

    def jvp(self, dx: Array, du: Controls) -> Array:
        """The sum of the tangents."""
        return sum(weight * part.jvp(dx, du) for weight, part in self.weighted)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """The sum of the adjoints."""
        return _add([part.vjp(weight * py) for weight, part in self.weighted])

    @property
    def curvature(self):
        """Where all have one."""
        every = all(part.curvature is not None for _, part in self.weighted)
        return self._curvature if every else None

    def _curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        pairs = ((weight, part.curvature) for weight, part in self.weighted)
        return _add([product(weight * py, dx, du) for weight, product in pairs if product])


def _add(products: list[tuple[Array, Controls]]) -> tuple[Array, Controls]:
    px, pu = products[0]
    for qx, qu in products[1:]:
        px, pu = px + qx, {name: pu[name] + qu[name] for name in pu}
    return px, pu


@dataclass(frozen=True)
class LayerWithCost(Dynamics):
    """A static layer that hands the cost so far on."""

    layer: Dynamics
    shape: StateShape
    """Of the incoming state."""

    @property
    def autonomous(self) -> bool:
        """Where the layer is."""
        return self.layer.autonomous

    @property
    def controls(self) -> Layout:
        """Those of the layer."""
        return self.layer.controls

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """Those of the layer."""
        return self.layer.initial_controls(rng)

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """[f; c]."""
        return join(self.layer(t, unjoin(x, self.shape), u), x[:, -1])

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """[f; c] and its derivative."""
        y, part = self.layer.linearize(t, unjoin(x, self.shape), u)
        return self._join(x, y, part)

    def linearize_in_time(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The same, with t among the controls."""
        y, part = linearize_in_time(self.layer, t, unjoin(x, self.shape), u)
        return self._join(x, y, part)

    def _join(self, x: Array, y: Array, part: Linearization) -> tuple[Array, Linearization]:
        return join(y, x[:, -1]), LayerWithCostLinearization(self.shape, y.shape[1:], part)


@dataclass(frozen=True)
class LayerWithCostLinearization(Linearization):
    """That of the layer, and the identity on the cost."""

    shape: StateShape
    output: StateShape
    part: Linearization

    def jvp(self, dx: Array, du: Controls) -> Array:
        """[df; dc]."""
        return join(self.part.jvp(unjoin(dx, self.shape), du), dx[:, -1])

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """[f_xᵀ p; p_c]."""
        px, pu = self.part.vjp(unjoin(py, self.output))
        return join(px, py[:, -1]), pu

    @property
    def curvature(self):
        """Where the layer has one."""
        return None if self.part.curvature is None else self._curvature

    def _curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        assert self.part.curvature is not None  # noqa: S101 - `curvature` asks for it
        px, pu = self.part.curvature(unjoin(py, self.output), unjoin(dx, self.shape), du)
        return _zero_cost(px), pu


def carry_cost(phase: Phase, cost: RunningObjective, shape: StateShape) -> Phase:
    """The phase on states of this shape with a running cost as an entry more."""
    if phase.static:
        return replace(phase, dynamics=LayerWithCost(phase.dynamics, shape))
    free = phase.free_start
    if free is not None:
        free = np.append(np.ravel(free), False)
    return replace(
        phase,
        dynamics=WithCost(phase.dynamics, cost, shape),
        free_start=free,
        events=tuple(_event_with_cost(event, shape) for event in phase.events),
    )


def _event_with_cost(event: Event, shape: StateShape) -> Event:
    """The event on states of this shape with a cost, which it leaves as it is."""
    reset = None if event.reset is None else LayerWithCost(event.reset, shape)
    return replace(event, condition=WithoutCost(event.condition, shape), reset=reset)


def unjoin(x: Array, shape: StateShape) -> Array:
    """The state without its cost: (samples, *shape)."""
    return array_namespace(x).reshape(x[:, :-1], (x.shape[0], *shape))
