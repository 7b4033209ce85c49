"""Which controls a penalty acts on: those that its option `controls` names, or all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated

from pydantic import Field

from occore import Array, InputError, Phase, PhaseControls, array_namespace, nearest

Chosen = Annotated[
    tuple[str, ...] | None,
    Field(description='what is penalised, as "W" or "phase/W"; all controls where not given'),
]
Picture = Annotated[
    tuple[Annotated[int, Field(gt=0)], Annotated[int, Field(gt=0)]] | None,
    Field(
        description="rows and columns of the picture that the last axis of a control is; those of "
        "the data, or a single row, where not given"
    ),
]
Axes = Annotated[
    tuple[Annotated[int, Field(lt=0)], ...] | None,
    Field(
        min_length=1,
        description="axes of a control that are the grid, counted from the last, which is -1, as "
        "[-4, -3] of stencils; that of `picture` where not given",
    ),
]


def is_chosen(wanted: tuple[str, ...] | None, phase: str, name: str) -> bool:
    """Whether a control is penalised."""
    return wanted is None or name in wanted or f"{phase}/{name}" in wanted


def chosen(
    wanted: tuple[str, ...] | None, controls: PhaseControls
) -> Iterator[tuple[str, str, Array]]:
    """(phase, name, control) of each penalised control; a number as a vector of one entry."""
    for phase, named in controls.items():
        for name, u in named.items():
            if is_chosen(wanted, phase, name):
                yield phase, name, u if u.ndim else array_namespace(u).reshape(u, (1,))


def check_chosen(
    wanted: tuple[str, ...] | None,
    phases: Sequence[Phase],
    check: Callable[[str, tuple[int, ...]], None],
) -> None:
    """Call `check(path, shape)` for each penalised control.

    Raises InputError for a name that no phase has.
    """
    layouts = {phase.name: phase.layout for phase in phases}
    known = {name for layout in layouts.values() for name in layout}
    known |= {f"{phase}/{name}" for phase, layout in layouts.items() for name in layout}
    for name in wanted or ():
        if name not in known:
            raise InputError(
                f"no control {name!r}.{nearest(name, known)} Known: {', '.join(sorted(known))}"
            )
    for phase, layout in layouts.items():
        for name, shape in layout.shapes.items():
            if is_chosen(wanted, phase, name):
                check(f"{phase}/{name}", shape)


def last_length(shape: tuple[int, ...]) -> int:
    """The length of the last axis; a number is a vector of one entry."""
    return shape[-1] if shape else 1


def check_axes(axes: tuple[int, ...], control: str, shape: tuple[int, ...]) -> None:
    """Raise InputError where a control lacks an axis."""
    if len(shape) < -min(axes):
        raise InputError(
            f"the control {control!r} has the shape {shape} and no axis {min(axes)}. Name others "
            "in `controls`"
        )


def check_picture(picture: tuple[int, int], control: str, columns: int) -> None:
    """Raise InputError where a control has another number of entries than the picture."""
    if picture[0] * picture[1] != columns:
        raise InputError(
            f"a picture of {picture[0]} × {picture[1]} needs {picture[0] * picture[1]} entries "
            f"along the last axis; the control {control!r} has {columns}. Name others in `controls`"
        )
