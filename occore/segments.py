"""The pieces of a march with events: each is a map of (x, t) at its start to (y, t) at its end.

    piece      y                              t at the end       its derivative
    whole      step from a node to the next   the node           that of the step
    to node    step Y(x, t, T) of T = t_node − t   the node      dT = −dt
    to event   step Y(x, t, T)                t + T              dT = −dG / γ
    reset      r(t, x, u(t))                  t                  that of r

The length T of a step to an event is the root of G(x, t, T) = g(t + T, Y(x, t, T), u(t + T)). With
dG its change at fixed T and γ = G_T, G stays zero along dT = −dG / γ (implicit function theorem).

**Adjoint.** With (p, p_t) the adjoint of (y, t_end), the derivatives of y and t + T along T are
taken up by a multiplier: of the Lagrangian

    L(w, T, λ) = ⟨p, Y(w, T)⟩ + p_t (t + T) + λ G(w, T),    w = (x, t, controls)
    L_T = 0:    λ = −(⟨p, Y_T⟩ + p_t) / γ
    (px, …) = L_w

which adds λ g_x to p: the jump of the costate at an event, for the discrete march. Of the
continuous form: E. N. Rozenvasser, Automation and Remote Control 28 (1967), 400–404; R. Serban and
A. Recuero, Sensitivity analysis for hybrid systems and systems with memory, J. Comput. Nonlinear
Dynam. 14 (2019), 091006.

**Second-order adjoint.** Along dw, with dT as above and (dp, dp_t) the change of (p, p_t), both
equations are differentiated; λ changes by dλ:

    0   = dL_T = h_T + dλ γ
    dL_w       = h_w + dλ G_w,    h = (h_w, h_T) = L'' (dw, dT) + ⟨dp, Y'⟩ + dp_t (t + T)'

so that h, the second-order adjoint of (Y, t + T, G) at fixed λ, gives dλ = −h_T / γ. Second
derivatives of an implicit function: Griewank and Walther, Evaluating Derivatives (2008), ch. 15.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from occore.arrays import Array, Controls
from occore.composition import second_adjoint
from occore.layout import Layout
from occore.linearization import Linearization
from occore.step_controls import MovingControls, StepControls
from occore.time_control import TIME
from occore.time_scaled import HORIZON
from occore.variable_step import BEGIN, LENGTH, variable

Pair = tuple[Array, float]
"""A state and a time, or their tangents, or their adjoints."""


class Direction(NamedTuple):
    """A tangent at the start of a piece: of the state, its time and the coefficients."""

    dx: Array
    dt: float
    du: Controls


class Back(NamedTuple):
    """An adjoint at the start of a piece, of the state, its time and the coefficients."""

    p: Array
    pt: float
    pu: Controls


@dataclass(frozen=True)
class Whole:
    """A step between two nodes."""

    controls: StepControls
    part: Linearization

    def jvp(self, d: Direction) -> Pair:
        """The tangent of the step; the node does not move."""
        return self.part.jvp(d.dx, self.controls.values(d.du)), 0.0

    def vjp(self, p: Array, pt: float) -> Back:
        """The adjoint of the step."""
        px, pu = self.part.vjp(p)
        return Back(px, 0.0, self.controls.transpose(pu))

    def second(self, p: Pair, dp: Pair, d: Direction) -> tuple[Pair, Back]:
        """The adjoint, and its derivative."""
        values = self.controls.values(d.du)
        px, dpx, dpu = second_adjoint(self.part, p[0], dp[0], d.dx, values)
        return (px, 0.0), Back(dpx, 0.0, self.controls.transpose(dpu))


@dataclass(frozen=True)
class Variable:
    """A step whose start and length vary; its stage controls move with it."""

    moving: MovingControls
    part: Linearization

    def tangent(self, d: Direction, dT: float) -> Array:
        """dy along the state, the start, the length and the coefficients."""
        return self.part.jvp(d.dx, self._controls(d, dT))

    def adjoint(self, p: Array) -> tuple[Back, float]:
        """The adjoint at the start, and that of the length."""
        px, pu = self.part.vjp(p)
        coefficients, times = self.moving.adjoint(_of_field(pu))
        return self._sum(px, pu, coefficients, times)

    def second(
        self, p: Array, dp: Array, d: Direction, dT: float
    ) -> tuple[tuple[Array, float, float], Back, float]:
        """(px, p_t, p_T), and the derivative of the adjoint."""
        assert self.part.curvature is not None, "asked for before the sweep"  # noqa: S101
        px, pu = self.part.vjp(p)
        hx, hu = self.part.curvature(p, d.dx, self._controls(d, dT))
        qx, qu = self.part.vjp(dp)
        dpu = {name: hu[name] + qu[name] for name in hu}
        c, times = self.moving.adjoint(_of_field(pu))
        dc, dtimes = self.moving.adjoint(_of_field(dpu))
        moved, turned = self.moving.second(_of_field(pu), d.du, d.dt + self._places * dT)
        first, length = self._sum(px, pu, c, times)
        back, dlength = self._sum(hx + qx, dpu, add(dc, moved), dtimes + turned)
        return (first.p, first.pt, length), back, dlength

    @property
    def _places(self) -> Array:
        return np.asarray(self.moving.controls.places)

    def _controls(self, d: Direction, dT: float) -> Controls:
        values = self.moving.tangent(d.du, d.dt + self._places * dT)
        return variable(values, d.dt, dT, len(self._places))

    def _sum(self, px: Array, pu: Controls, c: Controls, times: Array) -> tuple[Back, float]:
        """The times of the stages are t + c T."""
        pt = float(np.sum(pu[BEGIN])) + float(np.sum(times))
        pT = float(np.sum(pu[LENGTH])) + float(times @ self._places)
        return Back(px, pt, c), pT


@dataclass(frozen=True)
class ToNode:
    """From an event to the next node, which does not move."""

    step: Variable

    def jvp(self, d: Direction) -> Pair:
        """What starts later takes that much less time."""
        return self.step.tangent(d, -d.dt), 0.0

    def vjp(self, p: Array, pt: float) -> Back:
        """p_t − p_T for the time of the event."""
        back, length = self.step.adjoint(p)
        return back._replace(pt=back.pt - length)

    def second(self, p: Pair, dp: Pair, d: Direction) -> tuple[Pair, Back]:
        """The adjoint, and its derivative."""
        (px, begin, length), back, dlength = self.step.second(p[0], dp[0], d, -d.dt)
        return (px, begin - length), back._replace(pt=back.pt - dlength)


@dataclass(frozen=True)
class ToEvent:
    """From a node or an event to the next event, whose time follows from the state."""

    step: Variable
    rate: Array
    """Y_T."""

    at: Instant
    """The event function at the end."""

    slope: float
    """γ, the derivative of the event function in T."""

    def jvp(self, d: Direction) -> Pair:
        """The tangent with T such that the event function stays zero."""
        dT = self._length(d)
        return self.step.tangent(d, 0.0) + dT * self.rate, d.dt + dT

    def vjp(self, p: Array, pt: float) -> Back:
        """The costate jumps along the gradient of the event function."""
        return self._multiplied(p, pt, self._multiplier(p, pt))

    def second(self, p: Pair, dp: Pair, d: Direction) -> tuple[Pair, Back]:
        """The adjoint, and its derivative; see the module's equations."""
        dT, multiplier = self._length(d), self._multiplier(*p)
        end = Direction(self.step.tangent(d, dT), d.dt + dT, d.du)
        zero = np.zeros(1, p[0].dtype)
        g, dg = self.at.second(np.full(1, multiplier, p[0].dtype), zero, end)
        (px, begin, _), h, dlength = self.step.second(p[0] + g[0], dp[0] + dg.p, d, dT)
        moved = -(dlength + dp[1] + dg.pt) / self.slope
        back = self._multiplied(0 * p[0], 0.0, moved)
        dpt = h.pt + dp[1] + dg.pt + back.pt
        dpu = add(add(h.pu, dg.pu), back.pu)
        return (px, begin + p[1] + g[1]), Back(h.p + back.p, dpt, dpu)

    def _length(self, d: Direction) -> float:
        """dT."""
        still = Direction(self.step.tangent(d, 0.0), d.dt, d.du)
        return -float(np.sum(self.at.jvp(still))) / self.slope

    def _multiplier(self, p: Array, pt: float) -> float:
        """λ."""
        return -(float(np.sum(p * self.rate)) + pt) / self.slope

    def _multiplied(self, p: Array, pt: float, multiplier: float) -> Back:
        """L_w."""
        g = self.at.vjp(np.full(1, multiplier, p.dtype))
        back, _ = self.step.adjoint(p + g.p)
        return Back(back.p, back.pt + pt + g.pt, add(back.pu, g.pu))


@dataclass(frozen=True)
class Instant:
    """A map of (t, x, u) at one instant, with the controls there."""

    moving: MovingControls
    layout: Layout
    """Of the controls of the field; the map may leave some out."""

    part: Linearization

    def jvp(self, d: Direction) -> Array:
        """The tangent, with the controls moving in time."""
        return self.part.jvp(d.dx, self._controls(d))

    def vjp(self, p: Array) -> Back:
        """The adjoint."""
        px, pu = self.part.vjp(p)
        coefficients, times = self.moving.adjoint(self._at_place(pu))
        return Back(px, float(pu[TIME]) + float(times[0]), coefficients)

    def second(self, p: Array, dp: Array, d: Direction) -> tuple[Pair, Back]:
        """The adjoint, and its derivative."""
        assert self.part.curvature is not None, "asked for before the sweep"  # noqa: S101
        px, pu = self.part.vjp(p)
        hx, hu = self.part.curvature(p, d.dx, self._controls(d))
        qx, qu = self.part.vjp(dp)
        dpu = {name: hu[name] + qu[name] for name in hu}
        _, times = self.moving.adjoint(self._at_place(pu))
        dc, dtimes = self.moving.adjoint(self._at_place(dpu))
        moved, turned = self.moving.second(self._at_place(pu), d.du, np.full(1, d.dt))
        dpt = float(dpu[TIME]) + float(dtimes[0]) + float(turned[0])
        first = px, float(pu[TIME]) + float(times[0])
        return first, Back(hx + qx, dpt, add(dc, moved))

    def _controls(self, d: Direction) -> Controls:
        values = self.moving.tangent(d.du, np.full(1, d.dt))
        inner = {name: value[0] for name, value in values.items() if name != HORIZON}
        return {**inner, TIME: np.asarray(d.dt, d.dx.dtype)}

    def _at_place(self, pu: Controls) -> Controls:
        """The adjoints of all controls of the field, at the one place."""
        dtype = pu[TIME].dtype
        return {n: pu.get(n, zero)[None] for n, zero in self.layout.zeros(dtype).items()}


@dataclass(frozen=True)
class Reset:
    """The jump of the state."""

    at: Instant | None
    """`None` where the state goes on."""

    def jvp(self, d: Direction) -> Pair:
        """That of r."""
        return (d.dx if self.at is None else self.at.jvp(d)), d.dt

    def vjp(self, p: Array, pt: float) -> Back:
        """That of r."""
        if self.at is None:
            return Back(p, pt, {})
        back = self.at.vjp(p)
        return back._replace(pt=back.pt + pt)

    def second(self, p: Pair, dp: Pair, d: Direction) -> tuple[Pair, Back]:
        """That of r."""
        if self.at is None:
            return p, Back(*dp, {})
        (px, moves), back = self.at.second(p[0], dp[0], d)
        return (px, moves + p[1]), back._replace(pt=back.pt + dp[1])


Segment = Whole | ToNode | ToEvent | Reset


def add(a: Controls, b: Controls) -> Controls:
    """The sum of two adjoints of coefficients; either may be empty."""
    return {n: v if n not in b else v + b[n] for n, v in a.items()} if a else b


def _of_field(pu: Controls) -> Controls:
    return {name: value for name, value in pu.items() if name not in (BEGIN, LENGTH)}
