"""The pieces of a march with events: each is a map of (x, t) at its start to (y, t) at its end.

    piece      y                              t at the end       its derivative
    whole      step from a node to the next   the node           that of the step
    to node    step from t over t_node − t    the node           dT = −dt
    to event   step from t over T             t + T              dT = −dg / γ, γ = dg(y)/dT
    reset      r(x, u(t))                     t                  that of r

dg = g_x y_0' + g_u du is the change of the event function at fixed T, so that g = 0 is kept
(implicit function theorem). The adjoint (p, p_t) of (y, t_end) goes through `to event` as

    p ← p − g_xᵀ (⟨p, y_T⟩ + p_t) / γ

which is the jump of the costate at an event, for the discrete march. Of the continuous form:
E. N. Rozenvasser, Automation and Remote Control 28 (1967), 400–404; R. Serban and A. Recuero,
Sensitivity analysis for hybrid systems and systems with memory, J. Comput. Nonlinear Dynam. 14
(2019), 091006.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from occore.arrays import Array, Controls, dot
from occore.layout import Layout
from occore.linearization import Linearization
from occore.step_controls import StepControls
from occore.time_scaled import HORIZON
from occore.variable_step import BEGIN, LENGTH

Pair = tuple[Array, float]
"""A state and a time, or their tangents, or their adjoints."""


@dataclass(frozen=True)
class Whole:
    """A step between two nodes."""

    controls: StepControls
    part: Linearization

    def jvp(self, dx: Array, dt: float, du: Controls) -> Pair:
        """The tangent of the step; the node does not move."""
        return self.part.jvp(dx, self.controls.values(du)), 0.0

    def vjp(self, p: Array, pt: float) -> tuple[Array, float, Controls]:
        """The adjoint of the step."""
        px, pu = self.part.vjp(p)
        return px, 0.0, self.controls.transpose(pu)


@dataclass(frozen=True)
class Variable:
    """A step whose start and length vary; its stage controls move with it."""

    controls: StepControls
    rates: Controls
    """du/dt at the stages, of the controls that vary in time."""

    part: Linearization

    def tangent(self, dx: Array, dt: float, dT: float, du: Controls) -> Array:
        """dy along the state, the start, the length and the coefficients."""
        c, values = self.controls.places, self.controls.values(du)
        for name, rate in self.rates.items():
            moves = (dt + np.asarray(c, rate.dtype) * dT).reshape(-1, *(1,) * (rate.ndim - 1))
            values[name] = values[name] + moves * rate
        ends = {BEGIN: np.full(len(c), dt), LENGTH: np.full(len(c), dT)}
        return self.part.jvp(dx, {**values, **ends})

    def adjoint(self, p: Array) -> tuple[Array, float, float, Controls]:
        """px, the adjoints of start and length, and that of the coefficients."""
        px, pu = self.part.vjp(p)
        pt, pT = float(np.sum(pu[BEGIN])), float(np.sum(pu[LENGTH]))
        for name, rate in self.rates.items():
            moves = np.sum((pu[name] * rate).reshape(len(rate), -1), axis=1)
            pt += float(np.sum(moves))
            pT += float(moves @ np.asarray(self.controls.places))
        inner = {name: value for name, value in pu.items() if name not in (BEGIN, LENGTH)}
        return px, pt, pT, self.controls.transpose(inner)


@dataclass(frozen=True)
class ToNode:
    """From an event to the next node, which does not move."""

    step: Variable

    def jvp(self, dx: Array, dt: float, du: Controls) -> Pair:
        """What starts later takes that much less time."""
        return self.step.tangent(dx, dt, -dt, du), 0.0

    def vjp(self, p: Array, pt: float) -> tuple[Array, float, Controls]:
        """p_t − p_T for the time of the event."""
        px, pt, pT, pu = self.step.adjoint(p)
        return px, pt - pT, pu


@dataclass(frozen=True)
class ToEvent:
    """From a node or an event to the next event, whose time follows from the state."""

    step: Variable
    rate: Array
    """dy/dT."""

    at: Instant
    """The event function at the end."""

    slope: float
    """γ, the derivative of the event function in T."""

    def jvp(self, dx: Array, dt: float, du: Controls) -> Pair:
        """The tangent with T such that the event function stays zero."""
        dy = self.step.tangent(dx, dt, 0.0, du)
        dT = -float(np.sum(self.at.jvp(dy, dt, du))) / self.slope
        return dy + dT * self.rate, dt + dT

    def vjp(self, p: Array, pt: float) -> tuple[Array, float, Controls]:
        """The costate jumps along the gradient of the event function."""
        weight = -(float(np.sum(p * self.rate)) + pt) / self.slope
        gx, gt, gu = self.at.vjp(np.full(1, weight, p.dtype))
        px, begin, _, pu = self.step.adjoint(p + gx)
        return px, pt + begin + gt, add(pu, gu)


@dataclass(frozen=True)
class Instant:
    """A map of (x, u) at one instant t, with the controls there."""

    controls: StepControls
    rates: Controls
    layout: Layout
    """Of the controls of the field; the map may leave some of them out."""

    part: Linearization

    def jvp(self, dx: Array, dt: float, du: Controls) -> Array:
        """The tangent, with the controls moving in time."""
        values = {name: value[0] for name, value in self.controls.values(du).items()}
        for name, rate in self.rates.items():
            values[name] = values[name] + dt * rate[0]
        return self.part.jvp(dx, {n: v for n, v in values.items() if n != HORIZON})

    def vjp(self, p: Array) -> tuple[Array, float, Controls]:
        """px, the adjoint of t, and that of the coefficients."""
        px, pu = self.part.vjp(p)
        rates = {name: rate[0] for name, rate in self.rates.items() if name in pu}
        pt = float(dot(rates, pu)) if rates else 0.0
        zeros = self.layout.zeros(p.dtype)
        return px, pt, self.controls.transpose({n: pu.get(n, z)[None] for n, z in zeros.items()})


@dataclass(frozen=True)
class Reset:
    """The jump of the state."""

    at: Instant | None
    """`None` where the state goes on."""

    def jvp(self, dx: Array, dt: float, du: Controls) -> Pair:
        """That of r."""
        return (dx if self.at is None else self.at.jvp(dx, dt, du)), dt

    def vjp(self, p: Array, pt: float) -> tuple[Array, float, Controls]:
        """That of r."""
        if self.at is None:
            return p, pt, {}
        px, moves, pu = self.at.vjp(p)
        return px, pt + moves, pu


Segment = Whole | ToNode | ToEvent | Reset


def add(a: Controls, b: Controls) -> Controls:
    """The sum of two adjoints of coefficients; either may be empty."""
    return {n: v if n not in b else v + b[n] for n, v in a.items()} if a else b
