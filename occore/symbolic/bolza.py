"""The Bolza objective of a case file: a running cost and a terminal cost, given as expressions.

    J = ∫ ℓ(t, x, u) dt + Φ(x(T), x(0), T, unknowns)

    name in an expression     meaning
    a state                   x(t) in ℓ, x(T) in Φ
    a state with `_start`     x(0), in Φ
    a control                 u(t), in ℓ
    an unknown, a parameter   as in the dynamics
    t                         time in ℓ, the end time in Φ

Bliss, Lectures on the Calculus of Variations (1946), part II. All derivatives are generated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from occore.arrays import Array, Controls
from occore.errors import InputError, StructureError
from occore.example import Example
from occore.layout import Layout
from occore.linearization import Linearization
from occore.objective import (
    EndObjective,
    Objective,
    ObjectiveLinearization,
    PhaseControls,
    RunningObjective,
    Total,
)
from occore.phase import START, Phase
from occore.symbolic.dynamics import flat
from occore.symbolic.expression_dynamics import TIME, ExpressionDynamics
from occore.time_scaled import HORIZON

if TYPE_CHECKING:
    from occore.symbolic.kernels import Kernels


@dataclass(frozen=True)
class Bolza(Objective):
    """∫ running dt + terminal, of the phase with symbolic dynamics."""

    running: Annotated[str, Field(description="cost rate in states, controls, unknowns, t")] = "0"
    terminal: Annotated[
        str, Field(description="cost in end states, states with _start, unknowns, and the end t")
    ] = "0"
    sense: Annotated[
        Literal["minimize", "maximize"], Field(description="whether J is minimised or maximised")
    ] = "minimize"

    @property
    def terms(self) -> tuple[tuple[float, Objective], ...]:
        """The terms exist for a chain of phases only."""
        raise StructureError("a Bolza objective has terms for a chain only: call for_phases")

    def for_phases(self, phases: Sequence[Phase]) -> Objective:
        """The terms on the phase of symbolic dynamics. Raises InputError for wrong text."""
        phase, sign = phases[-1], 1.0 if self.sense == "minimize" else -1.0
        dynamics, integrated = phase.dynamics, [p for p in phases if not p.static]
        if integrated != [phase] or not isinstance(dynamics, ExpressionDynamics):
            raise InputError("a Bolza objective needs one integrated phase, symbolic and the last")
        weighted: list[tuple[float, Objective]] = []
        if self.running.strip() not in ("0", "0.0"):
            weighted.append((sign, ExpressionRunning(self.running, dynamics)))
        if phase.observations is not None:
            raise InputError("a Bolza objective looks at the end alone: remove the observations")
        if self.terminal.strip() not in ("0", "0.0"):
            weighted.append((sign, ExpressionEnd(self.terminal, phase, dynamics)))
        if not weighted:
            raise InputError("both running and terminal are 0: there is nothing to minimise")
        return Total(tuple(weighted))

    @classmethod
    def example(cls) -> Example:
        """½ (1 + 2)² + 3 of the start (1, 2) that stays, with all controls zero: by hand."""
        rates = {"x": "0*u", "y": "0"}
        dynamics = ExpressionDynamics(("x", "y"), ("u",), rates, ("k",))
        return Example(
            cls(running="0.5*(x + y)**2 + k*u", terminal="x + y_start + k*x"),
            dynamics=dynamics,
            x=[[1.0, 2.0]],
            value=4.5 + 3.0,
        )


@dataclass(frozen=True)
class ExpressionRunning(RunningObjective):
    """A cost rate given as an expression."""

    text: str
    dynamics: ExpressionDynamics

    def __post_init__(self) -> None:
        _ = self.kernels  # the expression is read at once, so that its errors come early

    @property
    def autonomous(self) -> bool:
        """Whether t is not in the expression."""
        return not uses(self.text, TIME)

    @cached_property
    def kernels(self) -> Kernels:
        """Kernels of ℓ(t, x, u) with the controls of the dynamics."""
        states, controls = self.dynamics.states, tuple(self.dynamics.controls)
        return _kernels("running", self.text, states, controls, self.dynamics, TIME)

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """ℓ of each sample."""
        return self.kernels.value(t, x, flat(self.dynamics.controls, u, x))[:, 0]

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """ℓ and its derivative."""
        theta = flat(self.dynamics.controls, u, x)
        value = self.kernels.value(t, x, theta)[:, 0]
        return value, RunningLinearization(self.kernels, self.dynamics.controls, t, x, theta)


@dataclass(frozen=True)
class RunningLinearization(Linearization):
    """Products of ℓ at one point."""

    kernels: Kernels
    layout: Layout
    t: float
    x: Array
    u: Array

    def jvp(self, dx: Array, du: Controls) -> Array:
        """ℓ_x dx + ℓ_u du of each sample."""
        return self.kernels.jvp(self.t, self.x, self.u, dx, flat(self.layout, du, dx))[:, 0]

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """(ℓ_xᵀ py, ℓ_uᵀ py)."""
        return self._split(self.kernels.vjp(self.t, self.x, self.u, py[:, None]))

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """The directional derivative of `vjp`."""
        d = flat(self.layout, du, dx)
        return self._split(self.kernels.curvature(self.t, self.x, self.u, py[:, None], dx, d))

    def _split(self, p: Array) -> tuple[Array, Controls]:
        states = self.x.shape[1]
        return p[:, :states], self.layout.unflatten(np.sum(p[:, states:], axis=0))


@dataclass(frozen=True)
class ExpressionEnd(EndObjective):
    """A terminal cost given as an expression, summed over the samples."""

    text: str
    phase: Phase
    dynamics: ExpressionDynamics

    def __post_init__(self) -> None:
        _ = self.kernels  # the expression is read at once, so that its errors come early

    @cached_property
    def kernels(self) -> Kernels:
        """Kernels of Φ; their u is (end time, start states, unknowns)."""
        starts = tuple(f"{state}_start" for state in self.dynamics.states)
        given = (TIME, *starts, *self.dynamics.unknowns)
        return _kernels("terminal", self.text, self.dynamics.states, given, self.dynamics, "")

    def __call__(self, inputs: Array, x: Array, controls: PhaseControls) -> Array:
        """Φ."""
        return np.sum(self.kernels.value(0.0, x, self._given(inputs, controls)))

    def linearize(
        self, inputs: Array, x: Array, controls: PhaseControls
    ) -> tuple[Array, ObjectiveLinearization]:
        """Φ and its derivatives."""
        given = self._given(inputs, controls)
        value = np.sum(self.kernels.value(0.0, x, given))
        return value, EndLinearization(self, x, given)

    def _given(self, inputs: Array, controls: PhaseControls) -> Array:
        """(samples, 1 + states + unknowns)."""
        phase, u = self.phase, controls[self.phase.name]
        horizon = u[HORIZON] if phase.free_horizon else phase.horizon
        start = phase.start + np.asarray(horizon)
        given = self._columns([start, *np.array(inputs).T], u, len(inputs))
        return given if np.iscomplexobj(given) else given.astype(inputs.dtype)

    def _columns(self, columns: list[Any], u: Controls, samples: int) -> Array:
        """(end time, start states, unknowns) of each sample, with the unknown start states in."""
        if self.phase.free_start is not None:
            places = np.flatnonzero(self.phase.free_start)
            for place, value in zip(places, u[START], strict=True):
                columns[1 + int(place)] = value
        columns.extend(u[name] for name in self.dynamics.unknowns)
        return np.stack([np.broadcast_to(column, (samples,)) for column in columns], axis=1)

    def direction(self, d: PhaseControls, samples: int) -> Array:
        """A direction of the controls as one of `_given`, (samples, 1 + states + unknowns)."""
        u = d[self.phase.name]
        zeros = [0.0] * len(self.dynamics.states)
        return self._columns([u.get(HORIZON, 0.0), *zeros], u, samples)

    def split(self, p: Array) -> tuple[Array, PhaseControls]:
        """Adjoint (samples, states + given) as that of the end states and that of the controls."""
        count = len(self.dynamics.states)
        given = np.sum(p[:, count:], axis=0)
        u: Controls = {}
        if self.phase.free_horizon:
            u[HORIZON] = given[0]
        if self.phase.free_start is not None:
            u[START] = given[1 : 1 + count][np.asarray(self.phase.free_start)]
        u.update(zip(self.dynamics.unknowns, given[1 + count :], strict=True))
        return p[:, :count], {self.phase.name: u}


@dataclass(frozen=True)
class EndLinearization(ObjectiveLinearization):
    """Derivatives of Φ at one point (x, controls)."""

    owner: ExpressionEnd
    x: Array
    given: Array

    def gradient(self) -> tuple[Array, PhaseControls]:
        """Φ_x and Φ_θ."""
        ones = np.ones((len(self.x), 1), self.x.dtype)
        p = self.owner.kernels.vjp(0.0, self.x, self.given, ones)
        return self.owner.split(p)

    def hessian_product(self, d: tuple[Array, PhaseControls]) -> tuple[Array, PhaseControls]:
        """The Hessian in (x, θ) times a direction."""
        dx, controls = d
        along = self.owner.direction(controls, len(self.x)).astype(self.x.dtype)
        ones = np.ones((len(self.x), 1), self.x.dtype)
        p = self.owner.kernels.curvature(0.0, self.x, self.given, ones, dx, along)
        return self.owner.split(p)

    def gauss_newton_product(self, d: Any) -> Any:
        """None is known of a general expression. Raises StructureError."""
        raise StructureError("a terminal expression has no Gauss–Newton part; use Hessian products")


def uses(text: str, name: str) -> bool:
    """Whether an expression contains a name."""
    import ast

    return any(
        isinstance(node, ast.Name) and node.id == name
        for node in ast.walk(ast.parse(text.strip(), mode="eval"))
    )


def _kernels(
    what: str,
    text: str,
    states: tuple[str, ...],
    controls: tuple[str, ...],
    dynamics: ExpressionDynamics,
    time: str,
) -> Kernels:
    """Kernels of one expression in (t, states, controls), with the parameters filled in."""
    from occore.symbolic.array import exact
    from occore.symbolic.expressions import parse_expression
    from occore.symbolic.kernels import generate
    from occore.symbolic.vocabulary import symbol

    named: Mapping[str, Any] = {name: symbol(name) for name in (*states, *controls)}
    clock = symbol("t_of_running") if time else symbol("t_unused")
    names = {**named, **({time: clock} if time else {})}
    names.update({name: exact(value) for name, value in dynamics.parameters.items()})
    try:
        expression = parse_expression(text, names)
    except InputError as error:
        raise InputError(f"{what}: {error}") from error
    x, u = [named[name] for name in states], [named[name] for name in controls]
    return generate(clock, x, u, [expression], dynamics.compiler)
