"""Options of registered things: the typed fields of a class are the single source.

From them come the validation of a table of a case file, its errors, the listing of
`occore plugins NAME` and the JSON schema. A field whose type is an interface, such as `Dataset`, is
a table with a kind of its own in a case file: `source = { kind = "digits" }`.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from typing import Any

import pydantic

from occore.data import Dataset
from occore.optimizer import Optimizer
from occore.registry import Entry

Table = dict[str, Any]

NESTED: dict[Any, str] = {Dataset: "dataset", Optimizer: "optimizer"}
"""Interfaces that may be the type of an option, and their families."""

FROM_DATA = frozenset({"state_shape"})
"""Fields that the chain fills in from the shape of the data; no options of a case."""


@functools.cache
def options_model(cls: type) -> type[pydantic.BaseModel]:
    """The strict pydantic model of the options of a registered frozen dataclass.

    A field whose metadata have a `key` goes by that name in a case file; the class then has a
    `for_state` that takes it by this name. One whose metadata say `"option": False` is no option:
    it is filled in when the thing is told of its data or phases.
    """
    hints = typing.get_type_hints(cls, include_extras=True)
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ():
        if field.name not in FROM_DATA and field.init and field.metadata.get("option", True):
            name = field.metadata.get("key", field.name)
            fields[name] = (_plain_hint(hints[field.name]), _default(field))
    return pydantic.create_model(
        cls.__name__,
        __config__=pydantic.ConfigDict(
            extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True
        ),
        __doc__=cls.__doc__,
        **fields,
    )


def nested_families(cls: type) -> dict[str, str]:
    """The options of a class that are tables with a kind, and the families of these kinds."""
    hints = typing.get_type_hints(cls)
    return {name: NESTED[_interface(hint)] for name, hint in hints.items() if _interface(hint)}


def _interface(hint: Any) -> Any:
    """The interface of NESTED that a hint names, by itself or with None as the other choice."""
    if isinstance(hint, types.UnionType) and type(None) in typing.get_args(hint):
        hint, *others = [one for one in typing.get_args(hint) if one is not type(None)]
        return None if others else _interface(hint)
    return hint if isinstance(hint, type) and hint in NESTED else None


def _plain_hint(hint: Any) -> Any:
    """The hint, with a table in place of an interface."""
    if typing.get_origin(hint) is typing.Annotated:
        inner, *metadata = typing.get_args(hint)
        return typing.Annotated[(_plain_hint(inner), *metadata)]
    if _interface(hint) is None:
        return hint
    return Table if isinstance(hint, type) else Table | None


@dataclasses.dataclass(frozen=True)
class Choice:
    """A validated table with a kind: the registered entry, its options, and the common keys."""

    entry: Entry
    table: Any
    options: pydantic.BaseModel

    def make(self) -> Any:
        """An instance of the registered class."""
        return self.entry.cls(**options_of(self.options))

    def resolved(self) -> Table:
        """The table with every default written out, without keys that are not set."""
        common = self.table.model_dump(exclude={"penalty"}, exclude_none=True)
        names = type(self.table).model_fields
        nested = {name: value for name, value in self.options if isinstance(value, Choice)}
        return (
            {k: v for k, v in common.items() if k in names}
            | self.options.model_dump(exclude=set(nested), exclude_none=True)
            | {name: value.resolved() for name, value in nested.items()}
        )


def options_of(table: pydantic.BaseModel) -> dict[str, Any]:
    """The validated options, by name; instances where they are choices."""
    return {name: value.make() if isinstance(value, Choice) else value for name, value in table}


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return pydantic.Field(default_factory=field.default_factory)
    return ...
