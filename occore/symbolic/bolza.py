"""The Bolza objective of a case file: a running cost and a terminal cost, given as expressions.

    J = ∫ ℓ(t, x, u) dt + Φ(x(T), x(0), T, unknowns)

    name in an expression     meaning
    a state                   x(t) in ℓ, x(T) in Φ
    a state with `_start`     x(0), in Φ
    a control                 u(t), in ℓ
    an unknown, a parameter   as in the dynamics
    t                         time in ℓ, the end time in Φ

Bliss, Lectures on the Calculus of Variations (1946), part II. All derivatives are generated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from occore.errors import InputError, StructureError
from occore.example import Example
from occore.objective import Objective, Total
from occore.phase import Phase
from occore.symbolic.end_cost import ExpressionEnd
from occore.symbolic.expression_dynamics import ExpressionDynamics
from occore.symbolic.running_cost import ExpressionRunning


@dataclass(frozen=True)
class Bolza(Objective):
    """∫ running dt + terminal, of the phase with symbolic dynamics."""

    running: Annotated[str, Field(description="cost rate in states, controls, unknowns, t")] = "0"
    terminal: Annotated[
        str, Field(description="cost in end states, states with _start, unknowns, and the end t")
    ] = "0"
    sense: Annotated[
        Literal["minimize", "maximize"], Field(description="whether J is minimised or maximised")
    ] = "minimize"

    @property
    def terms(self) -> tuple[tuple[float, Objective], ...]:
        """The terms exist for a chain of phases only."""
        raise StructureError("a Bolza objective has terms for a chain only: call for_phases")

    def for_phases(self, phases: Sequence[Phase]) -> Objective:
        """The terms on the phase of symbolic dynamics. Raises InputError for wrong text."""
        phase, sign = phases[-1], 1.0 if self.sense == "minimize" else -1.0
        dynamics, integrated = phase.dynamics, [p for p in phases if not p.static]
        if integrated != [phase] or not isinstance(dynamics, ExpressionDynamics):
            raise InputError("a Bolza objective needs one integrated phase, symbolic and the last")
        weighted: list[tuple[float, Objective]] = []
        if self.running.strip() not in ("0", "0.0"):
            weighted.append((sign, ExpressionRunning(self.running, dynamics)))
        if phase.observations is not None:
            raise InputError("a Bolza objective looks at the end alone: remove the observations")
        if self.terminal.strip() not in ("0", "0.0"):
            weighted.append((sign, ExpressionEnd(self.terminal, phase, dynamics)))
        if not weighted:
            raise InputError("both running and terminal are 0: there is nothing to minimise")
        return Total(tuple(weighted))

    @classmethod
    def example(cls) -> Example:
        """½ (1 + 2)² + 3 of the start (1, 2) that stays, with all controls zero: by hand."""
        rates = {"x": "0*u", "y": "0"}
        dynamics = ExpressionDynamics(("x", "y"), ("u",), rates, ("k",))
        return Example(
            cls(running="0.5*(x + y)**2 + k*u", terminal="x + y_start + k*x"),
            dynamics=dynamics,
            x=[[1.0, 2.0]],
            value=4.5 + 3.0,
        )
