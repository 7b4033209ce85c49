"""Tikhonov regularisation with a general operator L.

    R(u) = ½ Σ_controls ‖u Lᵀ‖²,    L acts on the last axis of each control

    L                     rows              meaning
    identity              n                 size of the control (ridge)
    first_difference      n − 1             differences of neighbours
    second_difference     n − 2             differences of these: the 1-D Laplacian inside
    laplacian             n                 five-point Laplacian of a picture, reflecting edges; or
                                            Σ DᵀD along other axes of a control, such as the taps of
                                            a stencil (a Kronecker sum)
    a matrix              as given          n columns

Hansen, Discrete Inverse Problems (2010), chapter 8. With a weight λ on the term: (λ/2)‖L u‖².
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from occore import (
    Array,
    ControlObjective,
    Data,
    Example,
    InputError,
    ObjectiveLinearization,
    Phase,
    PhaseControls,
    array_namespace,
)
from occore_least_squares.differences import (
    difference,
    laplacian,
    transposed_difference,
)
from occore_least_squares.linear_residual import LinearResidual
from occore_least_squares.penalised import (
    Axes,
    Chosen,
    Picture,
    check_axes,
    check_chosen,
    check_picture,
    chosen,
    is_chosen,
    last_length,
)

Named = Literal["identity", "first_difference", "second_difference", "laplacian"]
Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Tikhonov(ControlObjective):
    """½‖L u‖² over the named controls."""

    sum_of_squares: ClassVar[bool] = True
    affine_residual: ClassVar[bool] = True

    operator: Annotated[
        Named | Matrix, Field(description="L: a name, or a matrix as a list of rows")
    ] = "identity"
    controls: Chosen = None
    picture: Picture = None
    axes: Axes = None

    def __post_init__(self) -> None:
        if self.axes is not None and (self.operator != "laplacian" or self.picture is not None):
            raise InputError(
                'axes are those of operator = "laplacian" without a picture; here the operator is '
                f"{self.operator!r} and the picture {self.picture}"
            )

    def for_data(self, data: Data) -> Tikhonov:
        """The term with the picture of the data, where it needs one and has none."""
        if self.operator == "laplacian" and self.picture is None and self.axes is None:
            return replace(self, picture=data.picture)
        return self

    def for_phases(self, phases: Sequence[Phase]) -> Tikhonov:
        """The term itself. Raises InputError for a control or a length that does not fit."""
        check_chosen(self.controls, phases, self._check)
        return self

    def _check(self, control: str, shape: tuple[int, ...]) -> None:
        if self.axes is not None:
            check_axes(self.axes, control, shape)
            return
        columns = last_length(shape)
        needed = {"identity": 1, "first_difference": 2, "second_difference": 3, "laplacian": 1}
        if self.operator == "laplacian" and self.picture is not None:
            check_picture(self.picture, control, columns)
        elif isinstance(self.operator, str):
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

    @property
    def row_operator(self) -> Callable[[str, str, int], Array | None] | None:
        """L of the rows of controls; None where it acts along other axes."""
        return self._row_operator if self.axes is None else None

    def _row_operator(self, phase: str, control: str, columns: int) -> Array | None:
        """L for a penalised control whose rows have this many columns; sparse if it has a name."""
        if not is_chosen(self.controls, phase, control):
            return None
        if isinstance(self.operator, tuple):
            return np.asarray(self.operator)
        return _sparse_operator(self.operator, columns, self.picture)

    def rows(self, columns: int) -> int:
        """Number of rows of L."""
        if isinstance(self.operator, tuple):
            return len(self.operator)
        return columns - {"first_difference": 1, "second_difference": 2}.get(self.operator, 0)

    def apply(self, u: Array) -> Array:
        """L along the last axis of u."""
        if self.operator == "identity":
            return u
        if self.operator == "first_difference":
            return difference(u)
        if self.operator == "second_difference":
            return difference(difference(u))
        if self.operator == "laplacian":
            return self._laplacian(u)
        return u @ array_namespace(u).asarray(self.operator, dtype=u.dtype).T

    def transpose(self, r: Array) -> Array:
        """Lᵀ along the last axis of r: dot(apply(u), r) == dot(u, transpose(r))."""
        if self.operator == "identity":
            return r
        if self.operator == "first_difference":
            return transposed_difference(r)
        if self.operator == "second_difference":
            return transposed_difference(transposed_difference(r))
        if self.operator == "laplacian":
            return self._laplacian(r)
        return r @ array_namespace(r).asarray(self.operator, dtype=r.dtype)

    def _laplacian(self, u: Array) -> Array:
        """DᵀD along the axes of the grid, which is symmetric."""
        if self.axes is not None:
            return laplacian(u, self.axes)
        xp, picture = array_namespace(u), self.picture or (1, u.shape[-1])
        v = xp.reshape(u, (*u.shape[:-1], *picture))
        return xp.reshape(laplacian(v, (-2, -1)), u.shape)

    def __call__(self, controls: PhaseControls) -> Array:
        """R."""
        return TikhonovLinearization(self, controls).value

    def linearize(self, controls: PhaseControls) -> tuple[Array, ObjectiveLinearization]:
        """R and its derivatives."""
        part = TikhonovLinearization(self, controls)
        return part.value, part

    @classmethod
    def example(cls) -> Example:
        """Differences 2 and −3 of (1, 3, 0): ½ (4 + 9), by hand."""
        return Example(
            cls(operator="first_difference", controls=("W",)),
            u={"fit": {"W": [[1.0, 3.0, 0.0]], "b": [7.0, 9.0]}},
            value=6.5,
        )


@dataclass(frozen=True)
class TikhonovLinearization(LinearResidual):
    """Residual L u of all penalised controls in one vector."""

    penalty: Tikhonov
    controls: PhaseControls

    def residual_jvp(self, d: PhaseControls) -> Array:
        """L d, a vector."""
        parts = [self.penalty.apply(u) for _, _, u in chosen(self.penalty.controls, d)]
        if not parts:
            return np.zeros(0)
        xp = array_namespace(*parts)
        return xp.concat([xp.reshape(part, (-1,)) for part in parts])

    def residual_vjp(self, w: Array) -> PhaseControls:
        """Lᵀ w, for each penalised control."""
        result: PhaseControls = {}
        xp, start = array_namespace(w), 0
        for phase, name, u in chosen(self.penalty.controls, self.controls):
            shape = (*u.shape[:-1], self.penalty.rows(u.shape[-1]))
            end = start + math.prod(shape)
            rows = self.penalty.transpose(xp.reshape(w[start:end], shape))
            original = self.controls[phase][name].shape
            result.setdefault(phase, {})[name] = xp.reshape(rows, original)
            start = end
        return result


def _sparse_operator(name: Named, columns: int, picture: tuple[int, int] | None) -> Array:
    """The matrix of an operator with a name."""
    from scipy.sparse import csr_array, diags_array, eye_array, kron

    def D(n: int) -> Array:
        return diags_array([-1.0, 1.0], offsets=(0, 1), shape=(n - 1, n), format="csr")

    def second(n: int) -> Array:
        return D(n).T @ D(n) if n > 1 else csr_array((1, 1))

    if name == "identity":
        return eye_array(columns, format="csr")
    if name == "first_difference":
        return D(columns)
    if name == "second_difference":
        return D(columns - 1) @ D(columns)
    m, n = picture or (1, columns)
    return csr_array(kron(eye_array(m), second(n)) + kron(second(m), eye_array(n)))
