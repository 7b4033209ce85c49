"""Smoothed total variation of pictures.

    R(u) = Σ_pixels √(|∇u|² + ε²),    ∇u: forward differences, 0 at the far edges

    symbol   code        shape                        meaning
    u        u           (…, rows, columns)           each row of a control as a picture
    g        gx, gy      like u                       ∇u
    s        s           like u                       √(|g|² + ε²)
    ε        smoothing                                where |∇u| is small R is nearly quadratic

    ∇R = ∇ᵀ(g/s),    ∇²R d = ∇ᵀ( ∇d/s − g (g · ∇d)/s³ )

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
    ObjectiveLinearization,
    Phase,
    PhaseControls,
    array_namespace,
)
from occore_least_squares.differences import (
    difference,
    transposed_difference,
)
from occore_least_squares.penalised import Chosen, Picture, check_chosen, check_picture, chosen


@dataclass(frozen=True)
class TotalVariation(ControlObjective):
    """Σ √(|∇u|² + ε²) over the pixels of the pictures that the named controls are."""

    smoothing: Annotated[
        float,
        Field(gt=0, allow_inf_nan=False, description="ε, of the unit of differences of u"),
    ] = 1e-2
    controls: Chosen = None
    picture: Picture = None

    def for_data(self, data: Data) -> TotalVariation:
        """The term with the picture of the data, where it has none."""
        return replace(self, picture=data.picture) if self.picture is None else self

    def for_phases(self, phases: Sequence[Phase]) -> TotalVariation:
        """The term itself. Raises InputError for a control that is no such picture."""

        def check(control: str, columns: int) -> None:
            if self.picture is not None:
                check_picture(self.picture, control, columns)

        check_chosen(self.controls, phases, check)
        return self

    def __call__(self, controls: PhaseControls) -> Array:
        """R."""
        return self.linearize(controls)[0]

    def linearize(self, controls: PhaseControls) -> tuple[Array, ObjectiveLinearization]:
        """R and its derivatives."""
        total, slopes = 0.0, {}
        for phase, name, u in chosen(self.controls, controls):
            xp = array_namespace(u)
            gx, gy = self.gradient(u)
            s = xp.sqrt(gx**2 + gy**2 + self.smoothing**2)
            total = total + xp.sum(s)
            slopes[phase, name] = gx, gy, s
        return total, TotalVariationLinearization(self, slopes)

    def gradient(self, u: Array) -> tuple[Array, Array]:
        """∇u along columns and along rows, each (…, rows, columns), for u (…, rows · columns)."""
        xp, (rows, columns) = array_namespace(u), self.picture or (1, u.shape[-1])
        v = xp.reshape(u, (*u.shape[:-1], rows, columns))
        right, lower = 0 * v[..., :, -1:], 0 * v[..., -1:, :]
        gx = xp.concat([difference(v), right], axis=-1) if columns > 1 else right
        gy = xp.concat([difference(v, -2), lower], axis=-2) if rows > 1 else lower
        return gx, gy

    def divergence(self, gx: Array, gy: Array, shape: tuple[int, ...]) -> Array:
        """∇ᵀ g as a control of this shape: dot(gradient(u), g) == dot(u, divergence(g))."""
        total = 0 * gx
        if gx.shape[-1] > 1:
            total = total + transposed_difference(gx[..., :, :-1])
        if gy.shape[-2] > 1:
            total = total + transposed_difference(gy[..., :-1, :], -2)
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
    slopes: dict[tuple[str, str], tuple[Array, Array, Array]]

    def gradient(self) -> PhaseControls:
        """∇ᵀ(g/s)."""
        result: PhaseControls = {}
        for (phase, name), (gx, gy, s) in self.slopes.items():
            product = self.penalty.divergence(gx / s, gy / s, (*gx.shape[:-2], -1))
            result.setdefault(phase, {})[name] = product
        return result

    def hessian_product(self, d: PhaseControls) -> PhaseControls:
        """∇ᵀ(∇d/s − g (g · ∇d)/s³)."""
        result: PhaseControls = {}
        for phase, name, du in chosen(self.penalty.controls, d):
            gx, gy, s = self.slopes[phase, name]
            dx, dy = self.penalty.gradient(du)
            along = (gx * dx + gy * dy) / s**3
            product = self.penalty.divergence(
                dx / s - gx * along, dy / s - gy * along, d[phase][name].shape
            )
            result.setdefault(phase, {})[name] = product
        return result

    def gauss_newton_product(self, d: PhaseControls) -> PhaseControls:
        """All of the Hessian, which is positive semidefinite."""
        return self.hessian_product(d)
