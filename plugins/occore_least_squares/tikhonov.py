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

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import scipy.sparse
from pydantic import Field

from occore import (
    Array,
    ControlObjective,
    Example,
    InputError,
    ObjectiveLinearization,
    Phase,
    PhaseControls,
    nearest,
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
    controls: Annotated[
        tuple[str, ...] | None,
        Field(description='what is penalised, as "W" or "phase/W"; all controls where not given'),
    ] = None

    def for_phases(self, phases: Sequence[Phase]) -> Tikhonov:
        """The term itself. Raises InputError for a control or a length that does not fit."""
        layouts = {phase.name: phase.layout for phase in phases}
        known = {name for layout in layouts.values() for name in layout}
        paths = {f"{phase}/{name}" for phase, layout in layouts.items() for name in layout}
        for wanted in self.controls or ():
            if wanted not in known | paths:
                hint = nearest(wanted, known | paths)
                raise InputError(
                    f"no control {wanted!r}.{hint} Known: {', '.join(sorted(known | paths))}"
                )
        for phase, layout in layouts.items():
            for name, shape in layout.shapes.items():
                if self._penalises(phase, name):
                    self._check_columns(f"{phase}/{name}", shape[-1] if shape else 1)
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

    def _penalises(self, phase: str, name: str) -> bool:
        wanted = self.controls
        return wanted is None or name in wanted or f"{phase}/{name}" in wanted

    def operator_for(self, phase: str, name: str, shape: tuple[int, ...]) -> Any | None:
        """L as a sparse matrix for a control of this shape; `None` where it is not penalised."""
        if not self._penalises(phase, name):
            return None
        columns = shape[-1] if shape else 1
        if not isinstance(self.operator, str):
            return scipy.sparse.csr_array(np.asarray(self.operator, float))
        order = {"identity": 0, "first_difference": 1, "second_difference": 2}[self.operator]
        matrix = scipy.sparse.eye_array(columns, format="csr")
        for _ in range(order):
            matrix = (matrix[1:] - matrix[:-1]).tocsr()
        return matrix

    def row_operator(self, phase: str, control: str, columns: int) -> Array | None:
        """L for a penalised control whose rows have this many columns."""
        matrix = self.operator_for(phase, control, (columns,))
        return None if matrix is None else matrix.toarray()

    def __call__(self, controls: PhaseControls) -> Array:
        """R."""
        return self.linearize(controls)[0]

    def linearize(self, controls: PhaseControls) -> tuple[Array, ObjectiveLinearization]:
        """R and its derivatives, all from r = L u."""
        operators = {
            (phase, name): matrix
            for phase, named in controls.items()
            for name, u in named.items()
            if (matrix := self.operator_for(phase, name, u.shape)) is not None
        }
        linear = TikhonovLinearization(operators, controls)
        return linear.residual @ linear.residual / 2, linear

    @classmethod
    def example(cls) -> Example:
        """Differences 2 and −3 of (1, 3, 0): ½ (4 + 9), by hand."""
        return Example(
            cls(operator="first_difference", controls=("W",)),
            u={"fit": {"W": [[1.0, 3.0, 0.0]], "b": [7.0]}},
            value=6.5,
        )


@dataclass(frozen=True)
class TikhonovLinearization(ObjectiveLinearization):
    """Gradient Lᵀ L u, Hessian Lᵀ L, residual L u of all penalised controls in one vector."""

    operators: dict[tuple[str, str], Any]
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
        parts = [
            (_rows(d[phase][name], L) @ L.T).ravel() for (phase, name), L in self.operators.items()
        ]
        return np.concatenate(parts) if parts else np.zeros(0)

    def residual_vjp(self, w: Array) -> PhaseControls:
        """Lᵀ w, for each penalised control."""
        result: PhaseControls = {}
        start = 0
        for (phase, name), L in self.operators.items():
            u = self.controls[phase][name]
            end = start + L.shape[0] * (u.size // L.shape[1])
            rows = w[start:end].reshape(-1, L.shape[0]) @ L
            result.setdefault(phase, {})[name] = rows.reshape(u.shape).astype(u.dtype)
            start = end
        return result


def _rows(u: Array, L: Any) -> Array:
    return u.reshape(-1, L.shape[1])
