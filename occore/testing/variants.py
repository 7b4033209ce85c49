"""The same thing with its other options: each choice of a Literal, each truth value.

An example shows one set of options; a branch that it does not take may hide a wrong derivative.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator
from typing import Any

from occore.errors import InputError
from occore.example import Example

EXECUTORS = ("compiler",)
"""Options that choose what runs the same program; `compiled` compares them."""


def variants(example: Example) -> Iterator[Example]:
    """The example itself, then one for every other choice of each option, without its value."""
    yield example
    thing = example.map
    hints = typing.get_type_hints(type(thing))
    for field in dataclasses.fields(thing):
        if field.name in EXECUTORS or not field.init:
            continue
        for choice in _choices(hints[field.name]):
            if choice != getattr(thing, field.name):
                try:
                    other = dataclasses.replace(thing, **{field.name: choice})
                except InputError:  # a choice that does not go with the other options
                    continue
                yield dataclasses.replace(example, map=other, value=None)


def _choices(hint: Any) -> tuple[Any, ...]:
    """The values that an option of this type may have, where they are few."""
    if hint is bool:
        return (False, True)
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return tuple(choice for part in typing.get_args(hint) for choice in _choices(part))
    return ()


def describe(example: Example) -> str:
    """The class and its options."""
    return repr(example.map)[:120]
