"""The registry: what plugins bring, by family and name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from occore.errors import PluginError, unknown_kind

FAMILIES = (
    "dynamics",
    "discretization",
    "objective",
    "optimizer",
    "control_space",
    "dataset",
    "observer",
    "constraint",
)


@dataclass(frozen=True)
class Entry:
    """A registered thing: family, name, class, and the plugin that brought it."""

    family: str
    name: str
    cls: type
    plugin: str

    def __str__(self) -> str:
        return f"{self.family}-{self.name}"

    def example(self) -> Any:
        """The `Example` of the class."""
        return self.cls.example()


@dataclass(frozen=True)
class BrokenPlugin:
    """A plugin that could not be loaded or registered, and why, in one line."""

    name: str
    distribution: str
    error: str


class Registrar:
    """What `occore_register` is handed: one method for each family."""

    def __init__(self, plugin: str, taken: dict[tuple[str, str], Entry]) -> None:
        self.plugin = plugin
        self.entries: dict[tuple[str, str], Entry] = {}
        self._taken = taken

    def _add(self, family: str, name: str, cls: type) -> None:
        if not (isinstance(name, str) and name.isidentifier()):
            raise PluginError(f"{family} name {name!r} is no identifier; use letters, digits and _")
        if not isinstance(cls, type):
            raise PluginError(f"{family} {name!r} is {cls!r}; a class is expected")
        other = self._taken.get((family, name)) or self.entries.get((family, name))
        if other is not None:
            raise PluginError(
                f"{family} {name!r} is registered twice: by {other.plugin!r} and by {self.plugin!r}"
            )
        self.entries[family, name] = Entry(family, name, cls, self.plugin)

    def dynamics(self, name: str, cls: type) -> None:
        """A right-hand side or a layer."""
        self._add("dynamics", name, cls)

    def discretization(self, name: str, cls: type) -> None:
        """A method that makes steps of a dynamics."""
        self._add("discretization", name, cls)

    def objective(self, name: str, cls: type) -> None:
        """A terminal term, or a control term (a penalty)."""
        self._add("objective", name, cls)

    def optimizer(self, name: str, cls: type) -> None:
        """A method that minimises a problem."""
        self._add("optimizer", name, cls)

    def control_space(self, name: str, cls: type) -> None:
        """A space of controls in time."""
        self._add("control_space", name, cls)

    def dataset(self, name: str, cls: type) -> None:
        """A source of data."""
        self._add("dataset", name, cls)

    def observer(self, name: str, cls: type) -> None:
        """Something that is measured along a run."""
        self._add("observer", name, cls)

    def constraint(self, name: str, cls: type) -> None:
        """A constraint on states or controls."""
        self._add("constraint", name, cls)


@dataclass
class Registry:
    """All that is registered, and what is broken."""

    items: dict[tuple[str, str], Entry] = field(default_factory=dict)
    broken: list[BrokenPlugin] = field(default_factory=list)
    plugins: dict[str, str] = field(default_factory=dict)
    """Distribution and version of each plugin, by the name of the plugin."""

    def entries(self, family: str) -> list[Entry]:
        """The entries of a family, by name."""
        found = (entry for (kind, _), entry in self.items.items() if kind == family)
        return sorted(found, key=lambda entry: entry.name)

    def named(self, name: str) -> list[Entry]:
        """The entries of this name in any family."""
        return [entry for (_, key), entry in self.items.items() if key == name]

    def __getitem__(self, key: tuple[str, str]) -> Entry:
        """The entry (family, name). Raises UnknownKind with the nearest name."""
        if key not in self.items:
            family, name = key
            raise unknown_kind(family, name, [entry.name for entry in self.entries(family)])
        return self.items[key]
