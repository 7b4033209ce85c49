"""The flow that examples of observers look at: dx/dt = K x by a few Euler steps."""

from __future__ import annotations

import numpy as np

from occore import Array, Data, Phase, Problem, TerminalObjective
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.discretizations.forward_euler import ForwardEuler
from occore_least_squares.least_squares import LeastSquares
from occore_single_layer.dense import Dense


def linear_flow(inputs: Array, steps: int, horizon: float) -> Problem:
    """A problem whose θ is K (n, n), with the phase `flow` from these states (samples, n) to 0."""
    data = Data(np.asarray(inputs), np.zeros(np.shape(inputs)))
    return flow_of(data, LeastSquares(), steps, horizon)


def flow_of(data: Data, objective: TerminalObjective, steps: int, horizon: float) -> Problem:
    """The same for other data and another objective."""
    n = data.inputs.shape[1]
    field = Dense((n,), n, "identity", bias=False)
    phase = Phase("flow", field, ForwardEuler(), steps, horizon, space=Constant())
    return Problem((phase,), objective, data)
