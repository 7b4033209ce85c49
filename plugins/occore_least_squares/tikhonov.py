"""Tikhonov regularisation with a general operator L.

    R(u) = ½ Σ_controls ‖u Lᵀ‖²,    L acts on the last axis of each control

    L                     rows              meaning
    identity              n                 size of the control (ridge)
    first_difference      n − 1             differences of neighbours
    second_difference     n − 2             differences of these: the 1-D Laplacian inside
    a matrix              as given          n columns

Hansen, Discrete Inverse Problems (2010), chapter 8. With a weight λ on the term: (λ/2)‖L u‖².
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from occore import (
    Array,
    ControlNames,
    ControlObjective,
    Example,
    InputError,
    ObjectiveLinearization,
    Phase,
    PhaseControls,
    array_namespace,
    check_control_names,
    is_named,
)

Named = Literal["identity", "first_difference", "second_difference"]
Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Tikhonov(ControlObjective):
    """½‖L u‖² over the named controls."""

    sum_of_squares: ClassVar[bool] = True
    affine_residual: ClassVar[bool] = True

    operator: Annotated[
        Named | Matrix, Field(description="L: a name, or a matrix as a list of rows")
    ] = "identity"
    controls: ControlNames = None

    def for_phases(self, phases: Sequence[Phase]) -> Tikhonov:
        """The term itself. Raises InputError for a control or a length that does not fit."""
        check_control_names(self.controls, phases)
        for phase in phases:
            for name, shape in phase.layout.shapes.items():
                if is_named(self.controls, phase.name, name):
                    self._check_columns(f"{phase.name}/{name}", shape[-1] if shape else 1)
        return self

    def _check_columns(self, control: str, columns: int) -> None:
        if self.operator == "identity":
            return
        needed = {"first_difference": 2, "second_difference": 3}
        if isinstance(self.operator, str):
            if columns < needed[self.operator]:
                raise InputError(
                    f"{self.operator} needs at least {needed[self.operator]} entries along the "
                    f"last axis; the control {control!r} has {columns}. Name others in `controls`"
                )
        elif {len(row) for row in self.operator} != {columns}:
            raise InputError(
                f"each row of the operator needs {columns} entries, the length of the last axis of "
                f"the control {control!r}; got rows of {sorted({len(r) for r in self.operator})}"
            )

    def row_operator(self, phase: str, control: str, columns: int) -> Array | None:
        """L for a penalised control whose rows have this many columns."""
        if not is_named(self.controls, phase, control):
            return None
        return np.stack([self.apply(row) for row in np.eye(columns)], axis=1)

    def apply(self, u: Array) -> Array:
        """L along the last axis of u."""
        if self.operator == "identity":
            return u
        if self.operator == "first_difference":
            return _difference(u)
        if self.operator == "second_difference":
            return _difference(_difference(u))
        return u @ array_namespace(u).asarray(self.operator, dtype=u.dtype).T

    def transpose(self, r: Array) -> Array:
        """Lᵀ along the last axis of r: dot(apply(u), r) == dot(u, transpose(r))."""
        if self.operator == "identity":
            return r
        if self.operator == "first_difference":
            return _transposed_difference(r)
        if self.operator == "second_difference":
            return _transposed_difference(_transposed_difference(r))
        return r @ array_namespace(r).asarray(self.operator, dtype=r.dtype)

    def __call__(self, controls: PhaseControls) -> Array:
        """R."""
        r = TikhonovLinearization(self, controls).residual
        return array_namespace(r).sum(r * r) / 2

    def linearize(self, controls: PhaseControls) -> tuple[Array, ObjectiveLinearization]:
        """R and its derivatives, all from r = L u."""
        return self(controls), TikhonovLinearization(self, controls)

    def penalised(self, controls: PhaseControls) -> Iterator[tuple[str, str, Array]]:
        """(phase, name, control) of each penalised control; a number as a vector of one."""
        for phase, named in controls.items():
            for name, u in named.items():
                if is_named(self.controls, phase, name):
                    yield phase, name, u if u.ndim else array_namespace(u).reshape(u, (1,))

    @classmethod
    def example(cls) -> Example:
        """Differences 2 and −3 of (1, 3, 0): ½ (4 + 9), by hand."""
        return Example(
            cls(operator="first_difference", controls=("W",)),
            u={"fit": {"W": [[1.0, 3.0, 0.0]], "b": [7.0, 9.0]}},
            value=6.5,
        )


@dataclass(frozen=True)
class TikhonovLinearization(ObjectiveLinearization):
    """Gradient Lᵀ L u, Hessian Lᵀ L, residual L u of all penalised controls in one vector."""

    penalty: Tikhonov
    controls: PhaseControls

    @cached_property
    def residual(self) -> Array:
        """L u."""
        return self.residual_jvp(self.controls)

    def gradient(self) -> PhaseControls:
        """Lᵀ L u."""
        return self.hessian_product(self.controls)

    def hessian_product(self, d: PhaseControls) -> PhaseControls:
        """Lᵀ L d."""
        return self.residual_vjp(self.residual_jvp(d))

    def gauss_newton_product(self, d: PhaseControls) -> PhaseControls:
        """All of the Hessian."""
        return self.hessian_product(d)

    def residual_jvp(self, d: PhaseControls) -> Array:
        """L d, a vector."""
        parts = [self.penalty.apply(u) for _, _, u in self.penalty.penalised(d)]
        if not parts:
            return np.zeros(0)
        xp = array_namespace(*parts)
        return xp.concat([xp.reshape(part, (-1,)) for part in parts])

    def residual_vjp(self, w: Array) -> PhaseControls:
        """Lᵀ w, for each penalised control."""
        result: PhaseControls = {}
        xp, start = array_namespace(w), 0
        for phase, name, u in self.penalty.penalised(self.controls):
            shape = (*u.shape[:-1], self.penalty.apply(u).shape[-1])
            end = start + math.prod(shape)
            rows = self.penalty.transpose(xp.reshape(w[start:end], shape))
            original = self.controls[phase][name].shape
            result.setdefault(phase, {})[name] = xp.reshape(rows, original)
            start = end
        return result


def _difference(u: Array) -> Array:
    return u[..., 1:] - u[..., :-1]


def _transposed_difference(r: Array) -> Array:
    xp = array_namespace(r)
    edge = xp.zeros((*r.shape[:-1], 1), dtype=r.dtype)
    return xp.concat([edge, r], axis=-1) - xp.concat([r, edge], axis=-1)
