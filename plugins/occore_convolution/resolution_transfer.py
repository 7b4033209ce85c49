"""Train coarse, predict fine: the controls of a network for pictures of twice the cells.

The stencils K_H of each layer that is a differential equation become stencils K_h, H = 2 h:

    rediscretised    the same coefficients of derivatives      (`differential_operators`)
    galerkin         K_H = R K_h P                             (`galerkin`)
    copied           the same taps, and so another operator: what the others are compared with

All other controls stay as they are. So a convolution ahead of these layers has one tap, and pooling
windows are twice as long, so that the layers behind see as many features as before.

A field is stiffer on the finer mesh, as the squares of its terms grow: 4 times for ∂x, 16 for ∂xx
(the highest of `axial`), 256 for ∂xx∂yy (`differential`). Steps are shortened to what is stable.
L. Ruthotto and E. Haber, Deep neural networks motivated by partial differential equations, J. Math.
Imaging Vis. 62 (2020); E. Haber, L. Ruthotto, E. Holtham and S.-H. Jun, Learning across scales,
AAAI (2018).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np

from occore import Array, Controls, InputError, Phase, PhaseControls, Problem, stability
from occore_convolution.convolution import Convolution
from occore_convolution.convolution_field import ConvolutionField
from occore_convolution.differential_operators import POINTS, rediscretise
from occore_convolution.double_layer import DoubleLayer
from occore_convolution.galerkin import refined

Way = Literal["rediscretised", "galerkin", "copied"]

WAYS: dict[Way, Callable[[Array, tuple[int, ...]], Array]] = {
    "rediscretised": lambda K, axes: rediscretise(K, 1.0, 0.5, axes),
    "galerkin": refined,
    "copied": lambda K, axes: K,
}
"""K_H and the axes of the grid in it, to K_h."""


def transfer(
    coarse: Problem, theta: Array, fine: Problem, way: Way = "rediscretised"
) -> tuple[Problem, Array]:
    """What is trained on one grid, for pictures of twice the cells along each axis.

    coarse, theta: the problem and its unknowns. fine: the same chain of phases on the finer
    pictures. Returns `fine` with as many times more steps as are needed for stability, and its
    unknowns. Raises InputError where a chain does not fit to the other.
    """
    names = [[phase.name for phase in problem.phases] for problem in (coarse, fine)]
    if names[0] != names[1]:
        raise InputError(f"the phases of the chains differ: {names[0]} and {names[1]}")
    controls: PhaseControls = coarse.unflatten(theta)
    phases, moved = [], {}
    for before, after in zip(coarse.phases, fine.phases, strict=True):
        u = moved_controls(before, after, controls.get(before.name, {}), way)
        require_shapes(after, u)
        phases.append(with_stable_steps(after, u))
        require_shapes(phases[-1], u)
        moved[after.name] = u
    fine = replace(fine, phases=tuple(phases))
    return fine, fine.flatten(moved)


def moved_controls(before: Phase, after: Phase, u: Controls, way: Way) -> Controls:
    """The controls of one phase on the finer grid; themselves where its grid stays."""
    field, onto = before.dynamics, after.dynamics
    if isinstance(field, Convolution) and isinstance(onto, Convolution):
        if field.state_shape != onto.state_shape and math.prod(field.operator.stencil) > 1:
            raise InputError(
                f"phase {before.name!r}: its stencils of {field.operator.stencil} taps would mean "
                "another operator on twice the cells; take stencil = 1 where the grids differ"
            )
    if not (isinstance(field, ConvolutionField) and isinstance(onto, ConvolutionField)):
        return u
    if field.state_shape == onto.state_shape:
        return u
    require_twice_the_cells(before.name, field.layers[0], onto.layers[0])
    moved = dict(u)
    for old, new in zip(field.layers, onto.layers, strict=True):
        stencils = moved_stencils(before.name, old, new, u[old.stencil_name], way)
        del moved[old.stencil_name]
        moved[new.stencil_name] = stencils
    return moved


def require_twice_the_cells(phase: str, old: DoubleLayer, new: DoubleLayer) -> None:
    """Raise InputError unless stencils of three taps an axis go from n cells to 2 n."""
    if set(old.operator.stencil) != {POINTS}:
        raise InputError(
            f"phase {phase!r}: stencils of {POINTS} taps along each axis can be moved, not of "
            f"{old.operator.stencil}"
        )
    doubled = tuple(2 * cells for cells in old.operator.grid)
    if new.operator.grid != doubled:
        raise InputError(
            f"phase {phase!r}: the finer grid of {old.operator.grid} cells has {doubled}, not "
            f"{new.operator.grid}"
        )


def moved_stencils(
    phase: str, old: DoubleLayer, new: DoubleLayer, control: Array, way: Way
) -> Array:
    """What determines the stencils of a layer on the finer grid, at each place in time."""
    shape = old.controls.shapes[old.stencil_name]
    places = control.reshape(-1, *shape)
    stencils = [WAYS[way](old.stencil({old.stencil_name: place}), old.axes) for place in places]
    found = [new.coefficients(K) for K in stencils]
    for K, coefficients in zip(stencils, found, strict=True):
        again = new.stencil({new.stencil_name: coefficients})
        if not np.allclose(again, K, rtol=1e-4, atol=1e-4 * np.max(np.abs(K))):
            raise InputError(
                f"phase {phase!r}: stencils of this kind have more taps than "
                f'parametrisation = "{new.parametrisation}" has; take "stencil" on the finer grid'
            )
    in_time = control.shape[: control.ndim - len(shape)]
    return np.stack(found).reshape(*in_time, *found[0].shape)


def with_stable_steps(phase: Phase, u: Controls) -> Phase:
    """The phase in so many equal steps as its bound asks for, a multiple of those it has."""
    found = stability(phase, u)
    if found is None or found["step_over_bound"] <= 1:
        return phase
    if phase.times is not None:
        raise InputError(
            f"phase {phase.name!r}: its given times are {found['step_over_bound']:.3g} times too "
            "far apart for this field; give `steps` in their place"
        )
    return replace(phase, steps=phase.steps * math.ceil(found["step_over_bound"]))


def require_shapes(phase: Phase, u: Controls) -> None:
    """Raise InputError where controls do not have the shapes that the phase asks for."""
    for name, shape in phase.layout.shapes.items():
        if name not in u or u[name].shape != shape:
            have = "missing" if name not in u else f"of shape {u[name].shape}"
            raise InputError(
                f"{phase.name}/{name} is of shape {shape} on the finer grid, and {have} on the "
                "coarse one: pooling windows must be twice as long, and the controls of a phase "
                "in time have `intervals` of their own"
            )
