"""Options of registered things: the typed fields of a class are the single source.

From them come the validation of a table of a case file, its errors, the listing of
`occore plugins NAME` and the JSON schema.
"""

from __future__ import annotations

import dataclasses
import functools
import typing
from typing import Any

import pydantic

FROM_DATA = frozenset({"state_shape"})
"""Fields that the chain fills in from the shape of the data; no options of a case."""


@functools.cache
def options_model(cls: type) -> type[pydantic.BaseModel]:
    """The strict pydantic model of the options of a registered frozen dataclass.

    A field whose metadata have a `key` goes by that name in a case file; the class then has a
    `for_state` that takes it by this name.
    """
    hints = typing.get_type_hints(cls, include_extras=True)
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ():
        if field.name not in FROM_DATA and field.init:
            name = field.metadata.get("key", field.name)
            fields[name] = (hints[field.name], _default(field))
    return pydantic.create_model(
        cls.__name__,
        __config__=pydantic.ConfigDict(
            extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True
        ),
        __doc__=cls.__doc__,
        **fields,
    )


def options_of(table: pydantic.BaseModel) -> dict[str, Any]:
    """The validated options, by name."""
    return {name: getattr(table, name) for name in type(table).model_fields}


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return pydantic.Field(default_factory=field.default_factory)
    return ...
