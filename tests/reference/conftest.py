"""Terminal objectives and problems for the reference gradients."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from occore import Data, ObjectiveLinearization, Phase, Problem, TerminalObjective
from occore.symbolic.expression_dynamics import ExpressionDynamics
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.discretizations.dopri8 import Dopri8


@dataclass(frozen=True)
class Weighted(TerminalObjective):
    """⟨w, x⟩ of the end states, or of all observed states."""

    weights: tuple[float, ...]

    def __call__(self, x, target):
        return np.sum(x * np.asarray(self.weights))

    def linearize(self, x, target):
        return self(x, target), WeightedLinearization(np.broadcast_to(self.weights, x.shape))


@dataclass(frozen=True)
class WeightedLinearization(ObjectiveLinearization):
    w: Any

    def gradient(self):
        return self.w

    def hessian_product(self, d):
        return 0 * d

    def gauss_newton_product(self, d):
        return 0 * d


@pytest.fixture
def gradient():
    """Value and gradient, by name, of ⟨w, x⟩ for rates with unknown parameters and start."""

    def gradient(rates, unknowns, start, weights, horizon, method=None, **options):
        states = tuple(rates)
        dynamics = ExpressionDynamics(states, (), rates, tuple(unknowns))
        phase = Phase(
            "flow",
            dynamics,
            method or Dopri8(),
            horizon=horizon,
            space=Constant(),
            free_start=np.ones(len(states), bool),
            **options,
        )
        inputs = np.zeros((1, len(states)))
        problem = Problem((phase,), Weighted(tuple(weights)), Data(inputs, np.zeros(1)))
        theta = np.array([*unknowns.values(), *start], float)
        value, g = problem.value_and_gradient(theta)
        names = [*unknowns, *(f"{state}0" for state in states)]
        return value, dict(zip(names, g, strict=True))

    return gradient
