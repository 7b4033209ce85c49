"""Smoothness in time: a penalty on the change of controls from one interval to the next.

R(u) = ½ Σ_k ‖u_{k+1} − u_k‖² / Δ_k

symbol   code       shape              meaning
u        u          (size, *shape)     coefficients of a control that varies in time
Δ        lengths    (size − 1,)        distances in time of the nodes of its control space

For piecewise linear controls R = ½ ∫ ‖du/dt‖² dt; for piecewise constant ones it is the difference
quotient between the middles of intervals. Where the horizon is unknown, Δ is by its guess. The
residual is r = (u_{k+1} − u_k)/√Δ_k. Layers whose kernels vary slowly approximate a differential
equation, and can be refined in depth: E. Haber and L. Ruthotto, Stable architectures for deep
neural networks, Inverse Problems 34 (2018).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from occore import (
    Array,
    ControlObjective,
    Example,
    InputError,
    ObjectiveLinearization,
    Phase,
    PhaseControls,
    array_namespace,
)
from occore_least_squares.differences import difference, transposed_difference
from occore_least_squares.linear_residual import LinearResidual
from occore_least_squares.penalised import Chosen, check_chosen, is_chosen

Lengths = tuple[tuple[str, tuple[float, ...]], ...]
"""(phase/control, Δ) of each control that varies in time."""


@dataclass(frozen=True)
class SmoothnessInTime(ControlObjective):
    """½ Σ ‖u_{k+1} − u_k‖²/Δ_k over the named controls of integrated phases."""

    sum_of_squares: ClassVar[bool] = True
    affine_residual: ClassVar[bool] = True

    controls: Chosen = None
    lengths: Lengths = field(default=(), metadata={"option": False})

    def for_phases(self, phases: Sequence[Phase]) -> SmoothnessInTime:
        """The term with the grids of the control spaces.

        Raises InputError where no named control varies in time.
        """
        check_chosen(self.controls, phases, lambda control, shape: None)
        found = tuple(
            (f"{phase.name}/{name}", lengths)
            for phase in phases
            for name, lengths in _lengths(phase)
            if is_chosen(self.controls, phase.name, name)
        )
        if not found:
            raise InputError(
                "none of the controls varies in time: give an integrated phase controls of kind "
                '"piecewise_constant" or "piecewise_linear" with two intervals or more'
            )
        return replace(self, lengths=found)

    def __call__(self, controls: PhaseControls) -> Array:
        """R."""
        return SmoothnessLinearization(self, controls).value

    def linearize(self, controls: PhaseControls) -> tuple[Array, ObjectiveLinearization]:
        """R and its derivatives."""
        part = SmoothnessLinearization(self, controls)
        return part.value, part

    @classmethod
    def example(cls) -> Example:
        """Steps 2 over ½ and −3 over 2, in one entry; steps 0 and 1 in another, by hand:

        ½ (4/½ + 9/2 + 0 + 1/2).
        """
        return Example(
            cls(lengths=(("layers/K", (0.5, 2.0)),)),
            u={"layers": {"K": [[1.0, 5.0], [3.0, 5.0], [0.0, 6.0]], "b": [7.0]}},
            value=6.5,
        )


def _lengths(phase: Phase) -> Iterator[tuple[str, tuple[float, ...]]]:
    """The names of the controls of a phase that vary in time, and the distances of the nodes."""
    if phase.space is None:
        return
    distances = np.abs(phase.horizon * np.diff(phase.space.nodes(phase.steps)))
    for name in phase.dynamics.controls:
        if name not in phase.dynamics.constants and len(distances):
            yield name, tuple(map(float, distances))


@dataclass(frozen=True)
class SmoothnessLinearization(LinearResidual):
    """Residual D u, with D u = (u_{k+1} − u_k)/√Δ_k."""

    penalty: SmoothnessInTime
    controls: PhaseControls

    def residual_jvp(self, d: PhaseControls) -> Array:
        """D d, a vector."""
        parts = []
        for phase, name, root in self._roots(d):
            du = d[phase][name]
            xp = array_namespace(du)
            parts.append(xp.reshape(difference(du, -du.ndim) / root, (-1,)))
        return array_namespace(*parts).concat(parts) if parts else np.zeros(0)

    def residual_vjp(self, w: Array) -> PhaseControls:
        """Dᵀ w, for each penalised control."""
        result: PhaseControls = {}
        xp, start = array_namespace(w), 0
        for phase, name, root in self._roots(self.controls):
            size, *shape = self.controls[phase][name].shape
            end = start + (size - 1) * math.prod(shape)
            r = xp.reshape(w[start:end], (size - 1, *shape)) / root
            result.setdefault(phase, {})[name] = transposed_difference(r, -r.ndim)
            start = end
        return result

    def _roots(self, d: PhaseControls) -> Iterator[tuple[str, str, Array]]:
        """(phase, control, √Δ in a shape that goes with the control)."""
        for path, lengths in self.penalty.lengths:
            phase, name = path.rsplit("/", 1)
            like = d[phase][name]
            root = np.sqrt(np.asarray(lengths)).reshape(-1, *(1,) * (like.ndim - 1))
            yield phase, name, array_namespace(like).asarray(root, dtype=like.dtype)
