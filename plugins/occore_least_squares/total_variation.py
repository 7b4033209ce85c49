"""Smoothed total variation of pictures.

    R(u) = Σ_pixels √(|∇u|² + ε²),    ∇u: forward differences, 0 at the far edges

    symbol   code        shape                        meaning
    u        u           (…, rows, columns)           each row of a control as a picture; or a
                                                      control whose `axes` are the grid
    g        g           one like u for each axis     ∇u
    s        s           like u                       √(|g|² + ε²)
    ε        smoothing                                where |∇u| is small R is nearly quadratic

    ∇R = ∇ᵀ(g/s),    ∇²R d = ∇ᵀ( ∇d/s − g (g · ∇d)/s³ )

|∇u| is the Euclidean norm over all axes of the grid: R is isotropic. The sum of two terms with one
axis each is anisotropic.

Rudin, Osher and Fatemi, Physica D 60 (1992); smoothed as in Vogel, Computational Methods for
Inverse Problems (2002), chapter 8. R is convex; edges cost no more than smooth slopes do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

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
    transposed_difference,
)
from occore_least_squares.penalised import (
    Axes,
    Chosen,
    Picture,
    check_axes,
    check_chosen,
    check_picture,
    chosen,
    last_length,
)


@dataclass(frozen=True)
class TotalVariation(ControlObjective):
    """Σ √(|∇u|² + ε²) over the pixels of the pictures that the named controls are."""

    smoothing: Annotated[
        float,
        Field(gt=0, allow_inf_nan=False, description="ε, of the unit of differences of u"),
    ] = 1e-2
    controls: Chosen = None
    picture: Picture = None
    axes: Axes = None

    def __post_init__(self) -> None:
        if self.axes is not None and self.picture is not None:
            raise InputError(
                f"the grid is either the picture {self.picture} or the axes {self.axes}: leave one "
                "of them out"
            )

    def for_data(self, data: Data) -> TotalVariation:
        """The term with the picture of the data, where it needs one and has none."""
        if self.picture is None and self.axes is None:
            return replace(self, picture=data.picture)
        return self

    def for_phases(self, phases: Sequence[Phase]) -> TotalVariation:
        """The term itself. Raises InputError for a control that has no such grid."""
        check_chosen(self.controls, phases, self._check)
        return self

    def _check(self, control: str, shape: tuple[int, ...]) -> None:
        if self.axes is not None:
            check_axes(self.axes, control, shape)
        elif self.picture is not None:
            check_picture(self.picture, control, last_length(shape))

    def __call__(self, controls: PhaseControls) -> Array:
        """R."""
        return self.linearize(controls)[0]

    def linearize(self, controls: PhaseControls) -> tuple[Array, ObjectiveLinearization]:
        """R and its derivatives."""
        total, slopes = 0.0, {}
        for phase, name, u in chosen(self.controls, controls):
            xp = array_namespace(u)
            g = self.gradient(u)
            s = xp.sqrt(sum(part**2 for part in g) + self.smoothing**2)
            total = total + xp.sum(s)
            slopes[phase, name] = g, s
        return total, TotalVariationLinearization(self, slopes)

    @property
    def grid(self) -> tuple[int, ...]:
        """The axes of ∇u."""
        return self.axes or (-1, -2)

    def gradient(self, u: Array) -> tuple[Array, ...]:
        """∇u, for each axis of the grid one like u; rows as (…, rows, columns) without `axes`."""
        if self.axes is None:
            rows, columns = self.picture or (1, u.shape[-1])
            u = array_namespace(u).reshape(u, (*u.shape[:-1], rows, columns))
        return tuple(_forward_difference(u, axis) for axis in self.grid)

    def divergence(self, g: tuple[Array, ...], shape: tuple[int, ...]) -> Array:
        """∇ᵀ g as a control of this shape: dot(gradient(u), g) == dot(u, divergence(g))."""
        total = 0 * g[0]
        for part, axis in zip(g, self.grid, strict=True):
            if part.shape[axis] > 1:
                after = (slice(None),) * (-axis - 1)
                total = total + transposed_difference(part[..., :-1, *after], axis)
        return array_namespace(total).reshape(total, shape)

    @classmethod
    def example(cls) -> Example:
        """[[0, 3], [4, 0]] with ε² = 11: |∇u|² is 25, 9, 16, 0, so R = 6 + √20 + √27 + √11."""
        return Example(
            cls(smoothing=11**0.5, controls=("W",), picture=(2, 2)),
            u={"restore": {"W": [[0.0, 3.0, 4.0, 0.0]], "b": [7.0]}},
            value=6 + 20**0.5 + 27**0.5 + 11**0.5,
        )


@dataclass(frozen=True)
class TotalVariationLinearization(ObjectiveLinearization):
    """Derivatives from ∇u and s of each penalised control."""

    penalty: TotalVariation
    slopes: dict[tuple[str, str], tuple[tuple[Array, ...], Array]]

    def gradient(self) -> PhaseControls:
        """∇ᵀ(g/s)."""
        result: PhaseControls = {}
        for (phase, name), (g, s) in self.slopes.items():
            shape = s.shape if self.penalty.axes else (*s.shape[:-2], -1)
            product = self.penalty.divergence(tuple(part / s for part in g), shape)
            result.setdefault(phase, {})[name] = product
        return result

    def hessian_product(self, d: PhaseControls) -> PhaseControls:
        """∇ᵀ(∇d/s − g (g · ∇d)/s³)."""
        result: PhaseControls = {}
        for phase, name, du in chosen(self.penalty.controls, d):
            g, s = self.slopes[phase, name]
            dg = self.penalty.gradient(du)
            along = sum(part * change for part, change in zip(g, dg, strict=True)) / s**3
            parts = tuple(change / s - part * along for part, change in zip(g, dg, strict=True))
            product = self.penalty.divergence(parts, d[phase][name].shape)
            result.setdefault(phase, {})[name] = product
        return result

    def gauss_newton_product(self, d: PhaseControls) -> PhaseControls:
        """All of the Hessian, which is positive semidefinite."""
        return self.hessian_product(d)


def _forward_difference(u: Array, axis: int) -> Array:
    """Differences to the next along an axis, 0 at its end; like u."""
    after = (slice(None),) * (-axis - 1)
    end = 0 * u[..., -1:, *after]
    if u.shape[axis] == 1:
        return end
    return array_namespace(u).concat([difference(u, axis), end], axis=axis)
