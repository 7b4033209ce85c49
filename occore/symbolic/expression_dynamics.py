"""Dynamics of a case file: states, controls, unknowns, parameters and the text of the rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field

from occore.dynamics import StateShape
from occore.errors import InputError, nearest
from occore.example import Example
from occore.layout import Layout
from occore.symbolic.dynamics import SymbolicDynamics
from occore.symbolic.kernels import Compiler

TIME = "t"


@dataclass(frozen=True)
class ExpressionDynamics(SymbolicDynamics):
    """d/dt of each state as an expression in t, states, controls, unknowns and parameters.

    Controls and unknowns are scalars; `controls` lists both, and an unknown does not depend on
    time. Two options have a name of their own in a case file, which `metadata["key"]` tells,
    because here `controls` is the layout and `rates` the method. Raises InputError for names or
    expressions that are not allowed, naming all of them.
    """

    states: Annotated[tuple[str, ...], Field(min_length=1, description="names of the states")]
    control_names: Annotated[
        tuple[str, ...], Field(description="names of the controls, which vary in time")
    ] = field(metadata={"key": "controls"})
    rate_expressions: Annotated[
        Mapping[str, str], Field(description="d/dt of each state, as an expression")
    ] = field(metadata={"key": "rates"})
    unknowns: Annotated[
        tuple[str, ...], Field(description="names of unknowns that do not vary in time")
    ] = ()
    parameters: Annotated[
        Mapping[str, float], Field(description="numbers by name, for the expressions")
    ] = field(default_factory=dict)
    compiler: Annotated[
        Compiler, Field(description="numba is fast for few samples (extra fast)")
    ] = "numpy"

    def __post_init__(self) -> None:
        errors = [*self._faults_of_names(), *self._faults_of_rates()]
        if errors:
            raise InputError("; ".join(errors))

    @classmethod
    def for_state(  # pyright: ignore[reportIncompatibleMethodOverride] - names its options
        cls,
        state_shape: StateShape,
        *,
        states: tuple[str, ...],
        controls: tuple[str, ...],
        rates: Mapping[str, str],
        unknowns: tuple[str, ...] = (),
        parameters: Mapping[str, float] | None = None,
        compiler: Compiler = "numpy",
    ) -> Self:
        """The dynamics with the options of a case file. Raises InputError also for the shape."""
        names = (tuple(group) for group in (states, controls, unknowns))
        states, controls, unknowns = names
        dynamics = cls(states, controls, rates, unknowns, parameters or {}, compiler)
        dynamics.require_shape(state_shape)
        return dynamics

    @cached_property
    def controls(self) -> Layout:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The controls and then the unknowns, each a number."""
        return Layout(dict.fromkeys((*self.control_names, *self.unknowns), ()))

    @property
    def constants(self) -> frozenset[str]:
        """The unknowns."""
        return frozenset(self.unknowns)

    def rates(self, t: Any, x: Mapping[str, Any], u: Mapping[str, Any]) -> dict[str, Any]:
        """The expressions, read in the symbols of the arguments."""
        from occore.symbolic.array import SymbolicArray, exact
        from occore.symbolic.expressions import parse_expression

        names = {name: array.entries.item() for name, array in ({TIME: t} | {**x, **u}).items()}
        names |= {name: exact(value) for name, value in self.parameters.items()}
        return {
            state: SymbolicArray(np.asarray(parse_expression(text, names), dtype=object))
            for state, text in self.rate_expressions.items()
        }

    def _names(self) -> list[str]:
        return [TIME, *self.states, *self.controls, *self.parameters]

    def _faults_of_names(self) -> list[str]:
        from occore.symbolic.vocabulary import check_name

        names, faults = [*self.states, *self.control_names, *self.unknowns, *self.parameters], []
        for place, name in enumerate(names):
            try:
                check_name(name)
            except InputError as error:
                faults.append(str(error))
            if name == TIME:
                faults.append(f"{name!r} is the time and cannot name anything else")
            if name in names[:place]:
                faults.append(f"the name {name!r} is given twice")
        return faults

    def _faults_of_rates(self) -> list[str]:
        from occore.symbolic.expressions import parse_expression

        faults = [
            f"no rate is given for {n!r}" for n in self.states if n not in self.rate_expressions
        ]
        for name, text in self.rate_expressions.items():
            if name not in self.states:
                hint = nearest(name, self.states)
                faults.append(f"a rate is given for {name!r}, which is no state.{hint}")
            try:
                parse_expression(text, self._names())
            except InputError as error:
                faults.append(f"rate of {name!r}: {error}")
        return faults

    @classmethod
    def example(cls) -> Example:
        """Lotka and Volterra with harvest u: (2·1 − 2·3 − 0.5·2, 2·3 − 3 − 0.5·3), by hand."""
        return Example(
            cls(
                states=("prey", "predator"),
                control_names=("u",),
                rate_expressions={
                    "prey": "prey - prey*predator - c*u*prey",
                    "predator": "-predator + prey*predator - c*u*predator",
                },
                parameters={"c": 0.5},
            ),
            x=[[2.0, 3.0]],
            u={"u": 1.0},
            value=[[2.0 - 6.0 - 1.0, -3.0 + 6.0 - 1.5]],
        )
