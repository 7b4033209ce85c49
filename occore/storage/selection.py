"""Selections written as text: `history/objective[-5:]`. Integers, slices and an ellipsis only."""

from __future__ import annotations

import re

from occore.errors import InputError

Index = int | slice
_NUMBER = re.compile(r"[+-]?\d{1,12}")


def parse_selection(text: str, shape: tuple[int, ...]) -> tuple[Index, ...]:
    """The index that `text`, without its brackets, makes of an array of this shape.

    Raises InputError where it is no index, has too many axes, or lies outside.
    """
    items = [item.strip() for item in text.split(",")] if text.strip() else []
    if items.count("...") == 1:
        place = items.index("...")
        missing = len(shape) - (len(items) - 1)
        items[place : place + 1] = [":"] * missing
    if len(items) > len(shape):
        raise InputError(f"[{text}] has {len(items)} axes, but the shape is {shape}")
    return tuple(_index(item, size, text) for item, size in zip(items, shape, strict=False))


def _index(item: str, size: int, text: str) -> Index:
    parts = item.split(":")
    if len(parts) > 3 or not all(part == "" or _NUMBER.fullmatch(part.strip()) for part in parts):
        raise InputError(f"[{text}]: {item!r} is no index; write numbers and slices, as in [:, 0]")
    numbers = [int(part) if part.strip() else None for part in parts]
    if len(parts) == 1:
        number = numbers[0]
        if number is None or not -size <= number < size:
            raise InputError(f"[{text}]: {item or 'nothing'} is outside an axis of {size} entries")
        return number % size
    if numbers[2:] == [0] or (numbers[2:] and (numbers[2] or 1) < 0):
        raise InputError(f"[{text}]: the step of a slice must be positive")
    return slice(*numbers)
