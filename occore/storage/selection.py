"""Slices as text, `state[:, 0, ::2]`: parsed by a pattern, never evaluated."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from occore.errors import InputError

Selection = tuple[int | slice, ...]
"""One entry for each leading axis, as h5py takes it: slices with explicit, positive steps."""

_NUMBER = r"\s*([+-]?\d{1,18})?\s*"
_INTEGER = re.compile(r"\s*[+-]?\d{1,18}\s*")
_SLICE = re.compile(rf"{_NUMBER}:{_NUMBER}(?::{_NUMBER})?")
_HELP = "use integers, slices and '...', such as [0], [:, 2], [..., ::10]"


@dataclass(frozen=True)
class Slicing:
    """A selection that fits a shape, and the axes of the result that are then reversed."""

    selection: Selection
    reversed_axes: tuple[int, ...]

    def finish(self, values: np.ndarray) -> np.ndarray:
        """The values in the order that was asked for."""
        return np.flip(values, self.reversed_axes) if self.reversed_axes else values


def split_name(text: str) -> tuple[str, str | None]:
    """A name and the text between its brackets: "state[:, 0]" is ("state", ":, 0").

    The text is None where there are no brackets. Raises InputError where they do not match.
    """
    name, bracket, rest = text.strip().partition("[")
    if not bracket:
        return name, None
    if not rest.endswith("]"):
        raise InputError(f"{text!r}: the bracket is not closed; {_HELP}")
    return name.rstrip(), rest[:-1]


def parse(text: str, shape: tuple[int, ...]) -> Slicing:
    """The slicing that a text means for an array of this shape.

    Raises InputError for what is no slice, too many indices, and an index out of range.
    """
    items = [item.strip() for item in text.split(",")]
    if items[-1] == "" and len(items) > 1:
        items.pop()
    if items.count("...") > 1:
        raise InputError(f"[{text}]: '...' may appear once only")
    given = len(items) - items.count("...")
    if given > len(shape):
        raise InputError(f"[{text}]: {given} indices for an array of shape {shape}")
    if "..." in items:
        place = items.index("...")
        items[place : place + 1] = [":"] * (len(shape) - given)
    selection: list[int | slice] = []
    backwards: list[int] = []
    for axis, (item, length) in enumerate(zip(items, shape, strict=False)):
        entry, is_backwards = _entry(item, axis, length, text)
        if is_backwards:
            backwards.append(sum(isinstance(earlier, slice) for earlier in selection))
        selection.append(entry)
    return Slicing(tuple(selection), tuple(backwards))


def _entry(item: str, axis: int, length: int, text: str) -> tuple[int | slice, bool]:
    """What selects along one axis, and whether the result runs backwards."""
    if _INTEGER.fullmatch(item):
        index = int(item)
        if not -length <= index < length:
            raise InputError(
                f"[{text}]: index {index} is out of range on axis {axis} of {length} entries"
            )
        return index % length, False
    match = _SLICE.fullmatch(item)
    if match is None:
        raise InputError(f"[{text}]: {item!r} is not a slice; {_HELP}")
    start, stop, step = (None if part is None else int(part) for part in match.groups())
    if step == 0:
        raise InputError(f"[{text}]: the step of a slice must not be 0")
    indices = range(*slice(start, stop, step).indices(length))
    if not indices:
        return slice(0, 0, 1), False
    if indices.step > 0:
        return slice(indices.start, indices.stop, indices.step), False
    return slice(indices[-1], indices[0] + 1, -indices.step), True


def selected_shape(selection: Selection, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of what a selection takes from an array of this shape."""
    taken = [
        len(range(*entry.indices(length)))
        for entry, length in zip(selection, shape, strict=False)
        if isinstance(entry, slice)
    ]
    return (*taken, *shape[len(selection) :])
