"""The JSON schema of case files: the same models that check them, as editors read it.

Each table with a kind is a choice among the registered ones, with their options.
"""

from __future__ import annotations

from typing import Any

import pydantic

from occore.case.model import (
    CaseTable,
    DataTable,
    DiscretizationTable,
    KindTable,
    ObjectiveTable,
    ObserverTable,
    PenaltyTable,
    PhaseTable,
)
from occore.case.options import nested_families, options_model
from occore.objective import ControlObjective
from occore.registry import Entry, Registry

Schema = dict[str, Any]


def case_schema(registry: Registry) -> Schema:
    """A JSON schema (draft 2020-12) of the cases that can be written with this registry."""
    terms = registry.entries("objective")
    others = [entry for entry in terms if not issubclass(entry.cls, ControlObjective)]
    penalties = [entry for entry in terms if issubclass(entry.cls, ControlObjective)]
    schema = _schema(CaseTable)
    phase = _schema(PhaseTable)
    tables = schema["properties"]
    tables["data"] = _choice(DataTable, registry.entries("dataset"), registry)
    tables["phase"] = {"type": "array", "minItems": 1, "items": phase}
    tables["optimizer"] = _choice(KindTable, registry.entries("optimizer"), registry)
    observers = _choice(ObserverTable, registry.entries("observer"))
    tables["observer"] = {"type": "array", "items": observers}
    objective = _choice(ObjectiveTable, others)
    for branch in objective["oneOf"]:
        branch["properties"]["penalty"] = {
            "type": "array",
            "items": _choice(PenaltyTable, penalties),
        }
    tables["objective"] = objective
    links = phase["properties"]
    links["dynamics"] = _choice(KindTable, registry.entries("dynamics"))
    links["discretization"] = _choice(DiscretizationTable, registry.entries("discretization"))
    links["controls"] = _choice(KindTable, registry.entries("control_space"))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "occore case file",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def _choice(
    common: type[pydantic.BaseModel], entries: list[Entry], registry: Registry | None = None
) -> Schema:
    """One branch for each registered kind: its options beside the common keys of the table.

    registry: where options that are choices themselves find theirs.
    """
    branches = [_branch(common, entry, registry) for entry in entries]
    return {"type": "object", "required": ["kind"], "oneOf": branches}


def _branch(
    common: type[pydantic.BaseModel], entry: Entry, registry: Registry | None = None
) -> Schema:
    base, options = _schema(common), _schema(options_model(entry.cls))
    properties = {
        **base["properties"],
        **options.get("properties", {}),
        **(_nested(entry, registry) if registry else {}),
        "kind": {"const": entry.name, "description": options.get("description", "")},
    }
    required = [*base.get("required", []), *options.get("required", [])]
    return {"properties": properties, "required": required, "additionalProperties": False}


def _nested(entry: Entry, registry: Registry) -> Schema:
    """The options that are choices, except of what needs one itself.

    A choice that may be left out is any table there, so that the schema is finite.
    """
    return {
        name: _choice(
            KindTable, [other for other in registry.entries(family) if not _needs_choice(other)]
        )
        for name, family in nested_families(entry.cls).items()
    }


def _needs_choice(entry: Entry) -> bool:
    fields = options_model(entry.cls).model_fields
    return any(fields[name].is_required() for name in nested_families(entry.cls))


def _schema(model: type[pydantic.BaseModel]) -> Schema:
    """The schema of a model with its definitions in place, so that models can be combined."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})

    def inline(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                name = node["$ref"].rpartition("/")[2]
                rest = {key: value for key, value in node.items() if key != "$ref"}
                return inline({**definitions[name], **rest})
            return {key: inline(value) for key, value in node.items()}
        return [inline(item) for item in node] if isinstance(node, list) else node

    return inline(schema)
