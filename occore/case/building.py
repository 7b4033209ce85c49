"""From a checked case to a problem: data, the chain of phases, the objective, the optimizer."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from occore.case.complaints import Complaint, raise_complaints
from occore.case.integrated import apply_guess, integrated_phase, start_data
from occore.case.lines import Path as KeyPath
from occore.case.options import Choice, options_of
from occore.data import Data, split, standardize
from occore.dynamics import StateShape
from occore.errors import InputError
from occore.objective import Objective, TerminalObjective
from occore.observing import Watch
from occore.optimizer import Optimizer
from occore.phase import START, Phase
from occore.problem import Problem
from occore.structure import spoiler

if TYPE_CHECKING:
    from occore.case.case import Case, PhaseSpec


@dataclass(frozen=True)
class Built:
    """A problem on the training data, the held-out data, the optimizer, the start θ, observers."""

    problem: Problem
    held_out: Data | None
    optimizer: Optimizer
    theta: np.ndarray
    watches: tuple[Watch, ...] = ()


def data_folders(folder: Path) -> tuple[Path, ...]:
    """Where data files are looked up: the case's folder, then OCCORE_DATA."""
    named = os.environ.get("OCCORE_DATA")
    return (folder, Path(named)) if named else (folder,)


def build(case: Case) -> Built:
    """Load the data and make the problem. Raises CaseError with every complaint."""
    builder = _Builder(case)
    streams = np.random.default_rng(case.top.seed).spawn(3)
    train, held_out = builder.data(*streams[:2])
    terminal: Objective = builder.instance(case.objective, ("objective",))
    builder.stop()
    train, held_out = builder.encoded(terminal, train), builder.encoded(terminal, held_out)
    phases = builder.chain(train)
    objective = builder.objective(terminal, phases, train)
    optimizer: Optimizer = builder.instance(case.optimizer, ("optimizer",))
    builder.stop()
    problem = Problem(phases, objective, train, engine=case.top.run.engine.make())
    builder.structure(problem, optimizer)
    theta = builder.start(problem, streams[2])
    watches = builder.watches()
    builder.stop()
    return Built(problem, held_out, optimizer, theta, watches)


class _Builder:
    """Builds the parts and gathers complaints; a later part is built where the earlier ones are."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.complaints: list[Complaint] = []

    def complain(self, path: KeyPath, error: InputError | str) -> None:
        self.complaints.append(Complaint(path, str(error)))

    def stop(self) -> None:
        raise_complaints(self.complaints, self.case.places)

    def refuse(self, path: KeyPath, error: InputError | str) -> Any:
        """Complain of what nothing further can be built without."""
        self.complain(path, error)
        self.stop()

    def instance(self, choice: Choice, path: KeyPath) -> Any:
        """An instance of a registered class, whose constructor may refuse its options."""
        try:
            return choice.make()
        except InputError as error:
            self.complain(path, error)
            return None

    def data(
        self, drawn: np.random.Generator, order: np.random.Generator
    ) -> tuple[Data, Data | None]:
        """The training part and the held-out part, in the precision of the case."""
        choice, dtype = self.case.data, np.dtype(self.case.top.dtype)
        if choice is None:
            return self.start_values().astype(dtype), None
        dataset = self.instance(choice, ("data",))
        self.stop()
        path: KeyPath = ("data",)
        try:
            data = dataset.load(data_folders(self.case.folder), drawn)
            path = ("data", "held_out")
            train, held_out = split(data, choice.table.held_out, order)
        except InputError as error:
            if path == ("data",) and "path" in self.case.tables["data"]:
                path = ("data", "path")
            return self.refuse(path, error)
        if choice.table.standardize:
            try:
                train, held_out = standardize(train, held_out)
            except InputError as error:
                self.refuse(("data", "standardize"), error)
        return train.astype(dtype), held_out and held_out.astype(dtype)

    def start_values(self) -> Data:
        """One sample that starts from the values in the case."""
        try:
            return start_data(self.case.phases[0])
        except InputError as error:
            return self.refuse(("phase", 0, "start"), error)

    def chain(self, train: Data) -> tuple[Phase, ...]:
        """The phases, each told the shape of its incoming state."""
        shape: StateShape = train.inputs.shape[1:]
        source, phases = "the data" if self.case.data else "the start", []
        for index, spec in enumerate(self.case.phases):
            phase, shape = self.phase(spec, shape, train, source, ("phase", index))
            phases.append(phase)
            source = f"the phase {spec.table.name!r}"
        return tuple(phases)

    def phase(
        self, spec: PhaseSpec, shape: StateShape, train: Data, source: str, path: KeyPath
    ) -> tuple[Phase, StateShape]:
        """One phase and the shape of its end state."""
        name, cls = spec.table.name, spec.dynamics.entry.cls
        try:
            dynamics = cls.for_state(shape, **options_of(spec.dynamics.options))
        except InputError as error:
            text = f"{error} (the state that comes from {source} has the shape {shape})"
            return self.refuse((*path, "dynamics"), text)
        try:
            dynamics = dynamics.for_data(train)
        except InputError as error:
            self.refuse((*path, "dynamics"), error)
        expected = getattr(dynamics, "state_shape", shape)
        if tuple(expected) != tuple(shape):
            text = (
                f"the phase {name!r} takes states of shape {tuple(expected)}, but {source} gives "
                f"the shape {tuple(shape)}"
            )
            self.refuse((*path, "dynamics"), text)
        output = dynamics.output_shape or shape
        if spec.discretization is None or spec.controls is None:
            return Phase(name, dynamics), output
        if tuple(output) != tuple(shape):
            text = (
                f"the integrated phase {name!r} must keep the shape of its state, {tuple(shape)}; "
                f"this dynamics gives {tuple(output)}. Without a discretization it is a layer"
            )
            self.refuse((*path, "dynamics"), text)
        method = self.instance(spec.discretization, (*path, "discretization"))
        space = self.instance(spec.controls, (*path, "controls"))
        self.stop()
        grid, first = spec.discretization.table, path == ("phase", 0)
        data = train if self.case.data else None
        phase, faults = integrated_phase(spec, grid, dynamics, method, space, first, data)
        for key, text in faults:
            self.complain((*path, *key), text)
        if spec.table.observations and path[1] != len(self.case.phases) - 1:
            self.complain((*path, "observations"), "only the last phase can be observed")
        return phase, output

    def encoded(self, terminal: Objective, data: Any) -> Any:
        """Data with targets as the objective takes them; `None` for no data."""
        if not isinstance(terminal, TerminalObjective) or terminal.encode_targets is None:
            return data
        if data is None or data.targets is None:
            return data
        try:
            return terminal.encode_targets(data)
        except InputError as error:
            return self.refuse(("objective", "kind"), error)

    def objective(self, terminal: Objective, phases: tuple[Phase, ...], train: Data) -> Objective:
        """The weighted sum of the terminal term and the penalties."""
        if isinstance(terminal, TerminalObjective):
            self.targets(phases, train)
        objective = self.bound(terminal, phases, train, self.case.objective, ("objective",))
        for index, choice in enumerate(self.case.penalties):
            path: KeyPath = ("objective", "penalty", index)
            term = self.instance(choice, path)
            if term is not None:
                objective = objective + self.bound(term, phases, train, choice, path)
        return objective

    def bound(
        self,
        term: Objective,
        phases: tuple[Phase, ...],
        train: Data,
        choice: Choice,
        path: KeyPath,
    ) -> Objective:
        """A term for this chain and these data, with its weight."""
        try:
            return choice.table.weight * term.for_data(train).for_phases(phases)
        except InputError as error:
            return self.refuse(path, error)

    def targets(self, phases: tuple[Phase, ...], train: Data) -> None:
        """Whether what the last phase gives can be compared with the targets."""
        shape = train.inputs.shape[1:]
        for phase in phases:
            shape = phase.dynamics.output_shape or shape
        if phases[-1].observations is not None:
            shape = (len(phases[-1].observations), *shape)
        if train.targets is None:
            self.complain(("objective", "kind"), "needs targets, which the data do not have")
        elif tuple(shape) != train.targets.shape[1:]:
            self.complain(
                ("phase", len(phases) - 1, "dynamics"),
                f"the last phase {phases[-1].name!r} gives outputs of shape {tuple(shape)}, but "
                f"the targets of the data have the shape {train.targets.shape[1:]}",
            )

    def structure(self, problem: Problem, optimizer: Optimizer) -> None:
        """Whether the problem has what the optimizer needs; else which ones would do."""
        for structure in optimizer.requires:
            why = spoiler(problem, structure)
            if why is not None:
                entry = self.case.optimizer.entry
                fit = [
                    other.name
                    for other in self.case.host.registry.entries("optimizer")
                    if not any(spoiler(problem, needed) for needed in other.cls.requires)
                ]
                text = (
                    f"{entry.name!r} needs the structure {structure!r}, but {why}. "
                    f"Optimizers that would do: {', '.join(fit) or 'none of those registered'}"
                )
                self.complain(("optimizer", "kind"), text)
                return

    def watches(self) -> tuple[Watch, ...]:
        """The observers under their names."""
        return tuple(
            Watch(c.table.group, c.table.every, self.instance(c, ("observer", index)))
            for index, c in enumerate(self.case.observers)
        )

    def start(self, problem: Problem, rng: np.random.Generator) -> np.ndarray:
        """θ at the start, with the guesses of the case."""
        controls = problem.unflatten(problem.initial_controls(rng))
        first = problem.phases[0]
        if self.case.data is not None and first.free_start is not None:
            controls[first.name][START] = problem.data.inputs[0][first.free_start]
        for index, spec in enumerate(self.case.phases):
            for name, value in (spec.table.guess or {}).items():
                try:
                    apply_guess(problem.phases[index], controls, name, value)
                except InputError as error:
                    self.complain(("phase", index, "guess", name), error)
        return problem.flatten(controls).astype(problem.dtype)
