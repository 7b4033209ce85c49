"""A case: what to compute, checked as far as that is possible without its data."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydantic

from occore.case.complaints import Complaint, Places, from_validation, raise_complaints
from occore.case.lines import Path as KeyPath
from occore.case.lines import key_lines
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
from occore.case.options import Choice, nested_families, options_model
from occore.case.reading import override, parse, read_text
from occore.errors import UnknownKind
from occore.objective import ControlObjective
from occore.plugins import Host, load_host
from occore.registry import Registry

if TYPE_CHECKING:
    from occore.case.building import Built


@dataclass(frozen=True)
class PhaseSpec:
    """A validated [[phase]] table."""

    table: PhaseTable
    dynamics: Choice
    discretization: Choice | None
    controls: Choice | None


@dataclass(frozen=True)
class Case:
    """A checked case; `build` loads its data and makes the problem.

    text: the TOML as given. tables: the tables, overrides applied. folder: where relative paths of
    data are looked up first.
    """

    text: str
    tables: dict[str, Any]
    folder: Path
    places: Places
    host: Host
    top: CaseTable
    data: Choice | None
    phases: tuple[PhaseSpec, ...]
    objective: Choice
    penalties: tuple[Choice, ...]
    optimizer: Choice
    observers: tuple[Choice, ...] = ()

    @property
    def title(self) -> str:
        """One line that says what the case shows."""
        return self.top.title

    def build(self) -> Built:
        """Load the data and make the problem. Raises CaseError with every complaint."""
        from occore.case.building import build

        return build(self)

    def resolved(self) -> dict[str, Any]:
        """The tables with every default written out: the same case, whatever defaults become."""
        phases = []
        for spec in self.phases:
            phase = {"name": spec.table.name, "dynamics": spec.dynamics.resolved()}
            if spec.discretization and spec.controls:
                phase["discretization"] = spec.discretization.resolved()
                phase["controls"] = spec.controls.resolved()
                phase |= spec.table.model_dump(include=TIMED - {"controls"}, exclude_none=True)
            phase |= spec.table.model_dump(include={"guess"}, exclude_none=True)
            phases.append(phase)
        objective = self.objective.resolved()
        if self.penalties:
            objective["penalty"] = [penalty.resolved() for penalty in self.penalties]
        top = self.top.model_dump(include={"title", "seed", "dtype", "backend"})
        return {
            **top,
            **({"data": self.data.resolved()} if self.data else {}),
            "phase": phases,
            "objective": objective,
            "optimizer": self.optimizer.resolved(),
            **({"observer": [o.resolved() for o in self.observers]} if self.observers else {}),
            "run": self.top.run.model_dump(exclude_none=True),
        }

    def resolved_text(self) -> str:
        """The resolved tables as TOML."""
        import tomli_w

        return tomli_w.dumps(self.resolved())


def load_case(
    case: str | Path | Mapping[str, Any],
    *,
    settings: Sequence[str] = (),
    host: Host | None = None,
    folder: Path | None = None,
) -> Case:
    """Read and check a case.

    case: the path of a TOML file, or its tables as a dictionary. settings: `KEY=VALUE` overrides.
    host: the plugins to use; all that are installed by default. folder: where data are looked up;
    that of the file by default. Raises CaseError with all that is wrong.
    """
    if isinstance(case, Mapping):
        import tomli_w

        source, text, tables = "<case>", tomli_w.dumps(case), copy.deepcopy(dict(case))
        lines: dict[KeyPath, int] = {}
        folder = folder or Path.cwd()
    else:
        path = Path(case)
        source, text = str(path), read_text(path)
        tables = parse(text, source)
        lines, folder = key_lines(text), folder or path.resolve().parent
    return check_case(text, tables, settings, Places(source, lines), folder, host or load_host())


def check_case(
    text: str,
    tables: dict[str, Any],
    settings: Sequence[str],
    places: Places,
    folder: Path,
    host: Host,
) -> Case:
    """The case of parsed tables. Raises CaseError with all that is wrong."""
    places = Places(places.source, places.lines, override(tables, settings))
    checker = _Checker(host.registry)
    top = checker.table(CaseTable, tables, ())
    data = checker.choice("dataset", DataTable, tables.get("data"), ("data",))
    phases = tuple(
        checker.phase(table, ("phase", index)) for index, table in enumerate(_list(tables, "phase"))
    )
    checker.distinct_names(phases)
    objective = checker.objective(ObjectiveTable, False, tables.get("objective"), ("objective",))
    penalties = tuple(
        checker.objective(PenaltyTable, True, table, ("objective", "penalty", index))
        for index, table in enumerate(_list(tables.get("objective"), "penalty"))
    )
    optimizer = checker.choice("optimizer", KindTable, tables.get("optimizer"), ("optimizer",))
    observers = tuple(
        checker.choice("observer", ObserverTable, table, ("observer", index))
        for index, table in enumerate(_list(tables, "observer"))
    )
    checker.distinct_observers(observers)
    checker.broken_plugins()
    raise_complaints(checker.complaints, places)
    return Case(
        text,
        tables,
        folder,
        places,
        host,
        top,
        data,
        phases,
        objective,
        penalties,
        optimizer,
        observers,
    )


def _list(table: Any, key: str) -> list[Any]:
    value = table.get(key) if isinstance(table, dict) else None
    return value if isinstance(value, list) else []


TIMED = {
    "horizon",
    "controls",
    "memory",
    "gradient",
    "observations",
    "switches",
    "event",
    "start",
}
"""Keys of a phase that need a discretization."""


class _Checker:
    """Validates tables and gathers complaints; what it returns after a complaint is not used."""

    def __init__(self, registry: Registry) -> None:
        self.registry, self.complaints = registry, list[Complaint]()
        self.unknown = False

    def table(self, model: type[pydantic.BaseModel], table: Any, path: KeyPath) -> Any:
        """A table validated by a model."""
        try:
            return model.model_validate(_tuples(table))
        except pydantic.ValidationError as error:
            self.complaints.extend(from_validation(error, path, model))
            return None

    def choice(
        self, family: str, model: type[pydantic.BaseModel], table: Any, path: KeyPath
    ) -> Any:
        """A table with a kind, validated by the model of its common keys and by its options."""
        if not isinstance(table, dict):
            return None  # the table around it complains
        common = self.table(model, table, path)
        if not isinstance(table.get("kind"), str):
            return None
        try:
            entry = self.registry[family, table["kind"]]
        except UnknownKind as error:
            self.complaints.append(Complaint((*path, "kind"), str(error)))
            self.unknown = True
            return None
        options = {k: v for k, v in table.items() if k not in model.model_fields}
        checked = self._options(entry.cls, options, path, set(model.model_fields))
        return Choice(entry, common, checked)

    def objective(
        self, model: type[pydantic.BaseModel], penalty: bool, table: Any, path: KeyPath
    ) -> Any:
        """A term of the objective: control terms are penalties, all others stand at the top."""
        choice = self.choice("objective", model, table, path)
        if choice is not None and issubclass(choice.entry.cls, ControlObjective) != penalty:
            entries = self.registry.entries("objective")
            names = [e.name for e in entries if issubclass(e.cls, ControlObjective) == penalty]
            text = (
                "is no penalty; name it in [objective]"
                if penalty
                else "is a penalty; put it into a table [[objective.penalty]]"
            )
            known = f"Known here: {', '.join(names)}"
            message = f"the objective {choice.entry.name!r} {text}. {known}"
            self.complaints.append(Complaint((*path, "kind"), message))
        return choice

    def phase(self, table: Any, path: KeyPath) -> Any:
        """One [[phase]] table."""
        checked = self.table(PhaseTable, table, path)
        if not isinstance(table, dict):
            return None
        dynamics = self.choice("dynamics", KindTable, table.get("dynamics"), (*path, "dynamics"))
        if "discretization" not in table:
            for key in sorted(TIMED & set(table)):
                text = "a static phase has none: add a discretization, or remove this key"
                self.complaints.append(Complaint((*path, key), text))
            return PhaseSpec(checked, dynamics, None, None)
        discretization = self.choice(
            "discretization",
            DiscretizationTable,
            table["discretization"],
            (*path, "discretization"),
        )
        space = table.get("controls", {"kind": "piecewise_constant"})
        controls = self.choice("control_space", KindTable, space, (*path, "controls"))
        return PhaseSpec(checked, dynamics, discretization, controls)

    def distinct_names(self, phases: tuple[Any, ...]) -> None:
        """Two phases of one name are told apart by nothing in the run file."""
        names = [phase.table.name for phase in phases if phase and phase.table]
        for index, name in enumerate(names):
            if name in names[:index]:
                text = f"two phases have the name {name!r}; give each its own"
                self.complaints.append(Complaint(("phase", index, "name"), text))

    def distinct_observers(self, observers: tuple[Any, ...]) -> None:
        """Each observer has a group of its own in the run file."""
        names = [choice and choice.table and choice.table.group for choice in observers]
        for index, name in enumerate(names):
            if name is not None and name in names[:index]:
                text = f"two observers have the name {name!r}; give each its own"
                self.complaints.append(Complaint(("observer", index, "name"), text))

    def _options(self, cls: type, table: dict[str, Any], path: KeyPath, common: set[str]) -> Any:
        model = options_model(cls)
        nested = {
            name: self.choice(family, KindTable, table.get(name), (*path, name))
            for name, family in nested_families(cls).items()
        }
        try:
            checked = model.model_validate(_tuples(table))
        except pydantic.ValidationError as error:
            self.complaints.extend(from_validation(error, path, model, common))
            return None
        return checked.model_copy(update={k: v for k, v in nested.items() if k in table})

    def broken_plugins(self) -> None:
        """Where a kind is unknown, a plugin that could not be loaded may be the reason."""
        for plugin in self.registry.broken if self.unknown else ():
            text = f"the plugin {plugin.name!r} could not be loaded: {plugin.error}"
            self.complaints.append(Complaint((), text))


def _tuples(value: Any) -> Any:
    """Lists as tuples all the way down, since options are frozen and validated strictly."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(_tuples(item) for item in value)
    return value
