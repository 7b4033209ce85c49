"""Which controls a penalty acts on: names as "W" or "phase/W", or all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from occore.errors import InputError, nearest
from occore.phase import Phase

ControlNames = Annotated[
    tuple[str, ...] | None,
    Field(description='what is penalised, as "W" or "phase/W"; all controls where not given'),
]


def is_named(wanted: ControlNames, phase: str, name: str) -> bool:
    """Whether a control of a phase is among the wanted ones."""
    return wanted is None or name in wanted or f"{phase}/{name}" in wanted


def check_control_names(wanted: ControlNames, phases: Sequence[Phase]) -> None:
    """Raise InputError, with the nearest name, for a control that no phase has."""
    known = {name for phase in phases for name in phase.layout}
    known |= {f"{phase.name}/{name}" for phase in phases for name in phase.layout}
    for name in wanted or ():
        if name not in known:
            hint = nearest(name, known)
            raise InputError(f"no control {name!r}.{hint} Known: {', '.join(sorted(known))}")
