"""The conformance suite: every check of a family, on everything that is registered in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from occore.checks import CheckFailed
from occore.errors import MissingExtra, PluginError, nearest
from occore.example import Example
from occore.plugins import load_host
from occore.registry import BrokenPlugin, Entry
from occore.testing import (
    control_space,
    dataset,
    discretization,
    dynamics,
    objective,
    observer,
    optimizer,
)

Check = Callable[[Example, np.random.Generator], None]

CHECKS: dict[str, tuple[Check, ...]] = {
    "dynamics": dynamics.CHECKS,
    "discretization": discretization.CHECKS,
    "objective": objective.CHECKS,
    "optimizer": optimizer.CHECKS,
    "control_space": control_space.CHECKS,
    "dataset": dataset.CHECKS,
    "observer": observer.CHECKS,
    "constraint": (),
}


def example_of(entry: Entry) -> Example:
    """The example of a registered class. Raises CheckFailed where it has none."""
    make: Any = getattr(entry.cls, "example", None)
    if make is None:
        raise CheckFailed(
            f"{entry.cls.__name__} has no example(): add a classmethod that returns an "
            "occore.Example, a small instance with a reference number from elsewhere; see "
            "docs/testing.md"
        )
    return make()


def random_numbers() -> np.random.Generator:
    """The numbers that every check begins with, the same in every run."""
    return np.random.default_rng(20261124)


def chosen(plugin: str, folder: Path) -> tuple[list[Entry], list[BrokenPlugin]]:
    """What one plugin registers, by its name or its file (.py, in the folder); '': all plugins.

    Also the plugins that are broken. Raises PluginError, with the nearest name, for an unknown one.
    """
    file = folder / plugin if plugin.endswith(".py") else None
    registry = load_host(() if file is None else (file,)).registry
    entries = sorted(registry.items.values(), key=str)
    if not plugin:
        return entries, registry.broken
    name = plugin if file is None else file.name
    known = [*registry.plugins, *(other.name for other in registry.broken)]
    if name not in known:
        raise PluginError(f"no plugin {name!r}.{nearest(name, known)} Known: {', '.join(known)}")
    broken = [other for other in registry.broken if other.name == name]
    return [entry for entry in entries if entry.plugin == name], broken


def conform(family: str, example: Example) -> list[str]:
    """The failures of all checks of a family on an example, in words; empty where all pass.

    What needs a package that is not installed is left out.
    """
    failures = []
    for check in CHECKS[family]:
        try:
            check(example, random_numbers())
        except CheckFailed as error:
            failures.append(f"{check.__name__}: {error}")
        except MissingExtra:
            continue
        except Exception as error:
            failures.append(f"{check.__name__}: {type(error).__name__}: {error}")
    return failures
