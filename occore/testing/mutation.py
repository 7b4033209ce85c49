"""Planted bugs: how one is described, how it is planted, and whether a check says what is wrong.

A check that has never failed proves nothing. The suite's own tests plant bugs with these.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from occore.checks import CheckFailed
from occore.example import Example
from occore.testing.conformance import CHECKS, random_numbers

Patch = Callable[[Any], None]
"""Plants a bug by means of a MonkeyPatch."""


@dataclass(frozen=True)
class Mutant:
    """A bug: its name, what it is planted in, and how."""

    name: str
    victim: str
    plant: Patch

    def __str__(self) -> str:
        return f"{self.victim}-{self.name}"


def wrapped(owner: Any, method: str, change: Callable[..., Any]) -> Patch:
    """Replace a method by change(original, self, *arguments)."""

    def plant(monkeypatch: Any) -> None:
        original = inspect.getattr_static(owner, method)  # maybe of a parent of the class

        def mutated(*arguments: Any, **options: Any) -> Any:
            return change(original, *arguments, **options)

        monkeypatch.setattr(owner, method, mutated)

    return plant


def replaced(owner: Any, name: str, value: Any) -> Patch:
    """Replace an attribute."""
    return lambda monkeypatch: monkeypatch.setattr(owner, name, value)


def failure(family: str, example: Example, names: str = "") -> str | None:
    """The first check that says what is wrong; None where all pass. Other errors do not count.

    names: the beginning of the names of the checks that are asked; all if it is left out.
    """
    for check in (check for check in CHECKS[family] if check.__name__.startswith(names)):
        try:
            check(example, random_numbers())
        except CheckFailed as error:
            return f"{check.__name__}: {error}"
        except Exception:  # noqa: S112 - a crash is no clear answer; another check must give one
            continue
    return None
