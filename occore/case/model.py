"""The fixed part of a case file: its tables and their common keys, as pydantic models.

A table with a `kind` holds, beside the keys named here, the options of that kind, which the
registered class declares; `occore.case.options.Choice` is such a table after validation.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

import pydantic
from pydantic import Field

from occore.case.options import Table
from occore.engines import Engine, Serial, Threads

STRICT = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True)
KINDS = pydantic.ConfigDict(extra="allow", strict=True, frozen=True)
Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class EngineTable(pydantic.BaseModel):
    """[run.engine]: where shards of the samples are worked on."""

    model_config = STRICT
    kind: Annotated[
        Literal["threads", "serial"],
        Field(description="shards at a time in threads, or one after the other"),
    ] = "threads"
    count: Annotated[
        int | None,
        Field(gt=0, le=1024, description="so many threads; one for each core if not given"),
    ] = None

    @pydantic.model_validator(mode="after")
    def _only_threads_are_counted(self) -> Self:
        if self.kind == "serial" and self.count is not None:
            raise ValueError("a serial engine has no count: remove it, or take kind = 'threads'")
        return self

    def make(self) -> Engine:
        """The engine."""
        return Threads(self.count) if self.kind == "threads" else Serial()


class RunTable(pydantic.BaseModel):
    """[run]: what is stored and how often, and where the work is done."""

    model_config = STRICT
    checkpoint_every: Annotated[
        int | None,
        Field(gt=0, description="iterations between checkpoints; by time where not given"),
    ] = None
    metrics_every: Annotated[
        int | None,
        Field(gt=0, description="iterations between metrics in the history; none if left out"),
    ] = None
    gradient_error: Annotated[
        bool, Field(description="estimate at the end how far the gradient is from the flow's")
    ] = True
    record: Annotated[
        tuple[Literal["trajectory", "controls"], ...],
        Field(description="what the run file holds beside history and result"),
    ] = ("controls",)
    engine: Annotated[
        EngineTable, Field(description="where shards of the samples are worked on")
    ] = EngineTable()


class CaseTable(pydantic.BaseModel):
    """The whole file."""

    model_config = STRICT
    title: Annotated[str, Field(min_length=1, description="one line that says what the case shows")]
    seed: Annotated[int, Field(ge=0, lt=2**63, description="of every random number")] = 0
    dtype: Annotated[
        Literal["float64", "float32"], Field(description="precision of the computation")
    ] = "float64"
    backend: Annotated[Literal["numpy"], Field(description="array library")] = "numpy"
    data: Annotated[
        Table | None,
        Field(description="where inputs and targets come from; not for problems without data"),
    ] = None
    phase: Annotated[
        tuple[Table, ...], Field(min_length=1, description="the chain of phases, in order")
    ]
    objective: Annotated[Table, Field(description="what is minimised")]
    optimizer: Annotated[Table, Field(description="the method that minimises it")]
    observer: Annotated[tuple[Table, ...], Field(description="what is measured along the run")] = ()
    run: Annotated[
        RunTable, Field(description="what is stored and how often, and where the work is done")
    ] = RunTable()


class DataTable(pydantic.BaseModel):
    """[data]: the common keys."""

    model_config = KINDS
    kind: Annotated[str, Field(description="a registered data set")]
    held_out: Annotated[
        float, Field(ge=0, lt=1, description="share of the samples kept from the training")
    ] = 0.0
    standardize: Annotated[
        bool, Field(description="scale each input to mean 0, deviation 1 over the training samples")
    ] = False


class HorizonTable(pydantic.BaseModel):
    """An unknown horizon."""

    model_config = STRICT
    free: Annotated[Literal[True], Field(description="the horizon is unknown")]
    guess: Annotated[Positive, Field(description="where it starts")] = 1.0


class SlotsTable(pydantic.BaseModel):
    """Binomial checkpointing."""

    model_config = STRICT
    slots: Annotated[int, Field(gt=0, description="states in memory at most")]
    disk: Annotated[int, Field(ge=0, description="states in a scratch file at most")] = 0


class Ramp(pydantic.BaseModel):
    """A guess that is linear in time."""

    model_config = STRICT
    start: Annotated[Finite, Field(description="at the start of the phase")]
    end: Annotated[Finite, Field(description="at its end")]


Name = Annotated[
    str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="letters, digits and _")
]


class EventTable(pydantic.BaseModel):
    """[[phase.event]]: what happens where a condition passes zero."""

    model_config = STRICT
    name: Name
    condition: Annotated[
        str,
        Field(description="in t, states, controls, unknowns, parameters; the event is at its zero"),
    ]
    direction: Annotated[
        Literal["rising", "falling", "both"],
        Field(description="whether the condition must rise or fall through zero to count"),
    ] = "both"
    reset: Annotated[
        dict[str, str] | None,
        Field(description="states after the event, by name; the others go on as they are"),
    ] = None
    terminal: Annotated[bool, Field(description="whether the phase ends there")] = False


class PhaseTable(pydantic.BaseModel):
    """[[phase]]: one link of the chain."""

    model_config = STRICT
    name: Name
    dynamics: Annotated[Table, Field(description="right-hand side, or the layer of a static phase")]
    discretization: Annotated[
        Table | None, Field(description="steps of an integrated phase; a static phase has none")
    ] = None
    horizon: Annotated[
        Positive | HorizonTable,
        Field(description="length of the phase in time, or { free = true, guess = … }"),
    ] = 1.0
    controls: Annotated[Table | None, Field(description="how the controls depend on time")] = None
    memory: Annotated[
        Literal["linearizations", "states", "reversible"] | SlotsTable,
        Field(description="what the adjoint stores"),
    ] = "linearizations"
    gradient: Annotated[
        Literal["discretize_optimize", "optimize_discretize"],
        Field(description="the exact gradient of the discrete problem, or the continuous adjoint"),
    ] = "discretize_optimize"
    observations: Annotated[
        Annotated[tuple[Finite, ...], Field(min_length=1)] | Literal["data"] | None,
        Field(description='times at which the state is observed, which are hit; "data": theirs'),
    ] = None
    switches: Annotated[
        tuple[Finite, ...] | None,
        Field(min_length=1, description="times at which the rates jump in t; steps end there"),
    ] = None
    event: Annotated[
        tuple[EventTable, ...] | None,
        Field(description="what happens to the state where a condition passes zero"),
    ] = None
    start: Annotated[
        dict[str, Finite] | Literal["unknown"] | None,
        Field(
            description="start values by state; a state that is not named is unknown. "
            '"unknown": the start that the data give is a guess'
        ),
    ] = None
    guess: Annotated[
        dict[str, Finite | Ramp] | None,
        Field(description="where the optimizer starts: numbers, or { start = …, end = … } in time"),
    ] = None


class KindTable(pydantic.BaseModel):
    """A table whose only common key is its kind."""

    model_config = KINDS
    kind: Annotated[str, Field(description="a registered name")]


class ObserverTable(KindTable):
    """[[observer]]: something that is measured along the run."""

    every: Annotated[int, Field(gt=0, description="iterations from a look to the next")] = 1
    name: Annotated[
        Name | None, Field(description="of its group in the run file; its kind where not given")
    ] = None

    @property
    def group(self) -> str:
        """Its group in the run file."""
        return self.name or self.kind


class DiscretizationTable(KindTable):
    """[phase.discretization]: the method and its grid."""

    steps: Annotated[
        int | None, Field(gt=0, le=10**9, description="number of equal steps; or else rtol")
    ] = None
    rtol: Annotated[Positive | None, Field(description="relative tolerance of adaptive steps")] = (
        None
    )
    atol: Annotated[
        Positive | None, Field(description="absolute tolerance; a thousandth of rtol by default")
    ] = None
    first_step: Annotated[Positive | None, Field(description="length of the first step")] = None
    max_steps: Annotated[int, Field(gt=0, description="adaptive steps at most")] = 100_000

    @pydantic.model_validator(mode="after")
    def _one_grid(self) -> Self:
        if (self.steps is None) == (self.rtol is None):
            raise ValueError("give either steps, or rtol for adaptive steps")
        return self


class ObjectiveTable(KindTable):
    """[objective]: the terminal term, and the penalties added to it."""

    weight: Annotated[
        float, Field(ge=0, allow_inf_nan=False, description="multiplies the term")
    ] = 1.0
    penalty: Annotated[tuple[Table, ...], Field(description="control terms added to it")] = ()


class PenaltyTable(KindTable):
    """[[objective.penalty]]: a control term."""

    weight: Annotated[float, Field(ge=0, allow_inf_nan=False, description="multiplies the term")]
