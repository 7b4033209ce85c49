"""Structure: what events leave of it."""

import numpy as np
import pytest

from occore import Data, Event, Phase, Problem, StructureError
from occore.structure import require_structure, spoiler
from occore.symbolic.expression_dynamics import ExpressionDynamics
from occore.symbolic.running_cost import ExpressionRunning
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.discretizations.rk4 import RK4
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.linear import Linear

STATES = ("x", "v")
FALL = ExpressionDynamics(STATES, (), {"x": "v", "v": "-g"}, ("g", "e"))
DROP = ExpressionDynamics(STATES, (), {"x": "v", "v": "-9.8"})
FLOOR = Event(
    ExpressionRunning("x", FALL),
    ExpressionDynamics(STATES, (), {"x": "x", "v": "-e*v"}, ("g", "e")),
)
ELASTIC = Event(
    ExpressionRunning("x", DROP), ExpressionDynamics(STATES, (), {"x": "x", "v": "-v"}), -1
)
DATA = Data(np.array([[1.0, 0.0], [2.0, -1.0]]), np.ones((2, 2)))


def bouncing(dynamics, event):
    return Phase("ball", dynamics, RK4(), 3, 1.0, space=Constant(), events=(event,))


@pytest.mark.parametrize("structure", ["linear_least_squares", "dense_least_squares"])
def test_unknowns_of_a_phase_with_events_are_never_affine(structure):
    problem = Problem((bouncing(FALL, FLOOR),), LeastSquares(), DATA)
    assert "'ball' (ExpressionDynamics) is" in (spoiler(problem, structure) or "")
    with pytest.raises(StructureError, match="the phase 'ball'"):
        require_structure(problem, structure)
    assert spoiler(problem, "least_squares") is None


def test_a_layer_after_events_is_affine_and_one_before_is_not():
    """Without unknowns a phase with events is part of the data."""
    layer = Phase("fit", Linear(state_shape=(2,), width=2))
    after = Problem((bouncing(DROP, ELASTIC), layer), LeastSquares(), DATA)
    assert spoiler(after, "dense_least_squares") is None
    before = Problem((layer, bouncing(DROP, ELASTIC)), LeastSquares(), DATA)
    assert "'ball'" in (spoiler(before, "linear_least_squares") or "")
