"""Errors of a case: all at once, each with its place, its key, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import pydantic

from occore.case.lines import Path
from occore.errors import InputError, nearest


class CaseError(InputError):
    """Everything that is wrong with a case, one complaint a line."""


@dataclass(frozen=True)
class Places:
    """Turns the path of a key into `FILE:LINE` or the override that set it."""

    source: str
    lines: dict[Path, int] = field(default_factory=dict)
    overrides: dict[Path, str] = field(default_factory=dict)

    def of(self, path: Path) -> str:
        """The place of the key, or of the nearest table around it."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.overrides:
                return self.overrides[path[:end]]
            if end and path[:end] in self.lines:
                return f"{self.source}:{self.lines[path[:end]]}"
        return f"{self.source}:1" if self.lines else self.source


@dataclass(frozen=True)
class Complaint:
    """What is wrong with one key."""

    path: Path
    text: str


def raise_complaints(complaints: list[Complaint], places: Places) -> None:
    """Raise CaseError with all complaints, in the order of the file, if there are any."""
    if complaints:
        lines = [f"{places.of(c.path)}: {dotted(c.path)}{c.text}" for c in complaints]
        raise CaseError("\n".join(dict.fromkeys(lines)))


def dotted(path: Path) -> str:
    """`phase[0].dynamics.width: ` for a path; nothing for the whole case."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return f"{text}: " if text else ""


def from_validation(
    error: pydantic.ValidationError,
    base: Path,
    model: type[pydantic.BaseModel],
    more: Collection[str] = (),
) -> list[Complaint]:
    """The complaints of a failed validation of a table at `base` by `model`.

    more: keys that the table may have beside the fields of the model.
    """
    grouped: dict[Path, list[str]] = {}
    for detail in error.errors(include_url=False):
        path = base + _key_path(model, detail["loc"], detail["type"] == "extra_forbidden")
        grouped.setdefault(path, []).append(_text(detail, model, more))
    return [Complaint(path, "; or ".join(dict.fromkeys(texts))) for path, texts in grouped.items()]


def _key_path(
    model: type[pydantic.BaseModel], location: tuple[int | str, ...], unknown: bool
) -> Path:
    """The keys of a location, without the labels that pydantic adds for the branches of a union.

    unknown: whether the last part is a key that no model has.
    """
    keys: list[int | str] = []
    for position, part in enumerate(location):
        last = unknown and position == len(location) - 1
        first = position == 0 or isinstance(part, int)
        if first or last or part in _fields_below(model, location[0]):
            keys.append(part)
    return tuple(keys)


def _fields_below(model: type[pydantic.BaseModel], name: int | str) -> set[str]:
    """Field names of the models that the annotation of a field mentions."""
    info = model.model_fields.get(str(name))
    found: set[str] = set()
    stack: list[Any] = [info.annotation] if info else []
    while stack:
        annotation = stack.pop()
        if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
            found |= set(annotation.model_fields)
            stack.extend(field.annotation for field in annotation.model_fields.values())
        stack.extend(getattr(annotation, "__args__", ()))
    return found


def _text(detail: Any, model: type[pydantic.BaseModel], more: Collection[str]) -> str:
    kind, location = detail["type"], detail["loc"]
    if kind == "missing":
        info = model.model_fields.get(str(location[-1]))
        meaning = f" ({info.description})" if info and info.description else ""
        return f"this key is missing{meaning}"
    if kind == "extra_forbidden":
        owner = _owner(model, location)
        known = sorted({*owner.model_fields, *(more if len(location) == 1 else ())})
        hint = nearest(str(location[-1]), known)
        return f"unknown key.{hint} Known: {', '.join(known) or 'none'}"
    expected = detail["msg"].replace("Input should be", "expected").replace("tuple", "list")
    hint = ""
    if kind == "literal_error" and isinstance(detail["input"], str):
        names = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
        hint = f".{near}" if (near := nearest(detail["input"], names)) else ""
    return f"{expected[0].lower()}{expected[1:]}, got {_short(detail['input'])}{hint}"


def _owner(
    model: type[pydantic.BaseModel], location: tuple[int | str, ...]
) -> type[pydantic.BaseModel]:
    """The model whose table holds the last key of a location."""
    for part in location[:-1]:
        info = model.model_fields.get(str(part))
        stack: list[Any] = [info.annotation] if info else []
        while stack:
            annotation = stack.pop()
            if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
                model = annotation
                break
            stack.extend(getattr(annotation, "__args__", ()))
    return model


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
