"""Discretize–optimize against optimize–discretize: the two tables of docs/time-integration.md.

Run with: python docs/examples/gradients_compared.py    (a few seconds)
"""

from dataclasses import replace

import numpy as np

from occore import Data, Phase, Problem
from occore.adaptive import StepLog, Tolerances
from occore.gradient_error import gradient_error, gradient_gap
from occore.symbolic.bolza import Bolza
from occore.symbolic.expression_dynamics import ExpressionDynamics
from occore.testing.models import Tanh
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.discretizations.dopri5 import Dopri5
from occore_continuous.discretizations.forward_euler import ForwardEuler
from occore_least_squares.least_squares import LeastSquares

THETA = np.array([1.5, 1.0, 3.0, 1.0, 1.0, 1.0])
VALUE = 1.936035845711130937  # x(10) + y(10): Taylor series in 50 digits
GRADIENT = np.array(
    [
        -4.096212993658197966,
        -0.509408811911299175,
        -1.145834886429737106,
        -1.804327868767101297,
        -0.777983101192011978,
        0.400282266224742443,
    ]
)
CALLS = 7  # evaluations of a step of dopri5 with its error


def relative(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(b)


def lotka_volterra(rtol):
    rates = {"x": "a*x - b*x*y", "y": "-c*y + d*x*y"}
    phase = Phase(
        "flow",
        ExpressionDynamics(("x", "y"), (), rates, tuple("abcd")),
        Dopri5(),
        horizon=10.0,
        space=Constant(),
        tolerances=Tolerances(rtol, 1e-3 * rtol),
        free_start=np.ones(2, bool),
        log=StepLog(),
    )
    objective = Bolza(terminal="x + y").for_phases((phase,))
    return Problem((phase,), objective, Data(np.zeros((1, 2))))


def tolerances():
    print("| rtol | evaluations | value | exact gradient | continuous adjoint | estimate |")
    print("| --- | --- | --- | --- | --- | --- |")
    for rtol in 10.0 ** -np.arange(3, 11):
        problem = lotka_volterra(rtol)
        value = problem.value(THETA)
        log = problem.phases[0].log
        calls = CALLS * (log.accepted + log.rejected)
        exact = problem.value_and_gradient(THETA)[1]
        phases = tuple(replace(p, gradient="optimize_discretize") for p in problem.phases)
        continuous = replace(problem, phases=phases).value_and_gradient(THETA)[1]
        errors = abs(value / VALUE - 1), relative(exact, GRADIENT), relative(continuous, GRADIENT)
        estimate = gradient_error(problem, THETA)
        row = " | ".join(f"{e:.1e}" for e in (*errors, estimate))
        print(f"| {rtol:.0e} | {calls} | {row} |")


def inconsistency():
    print("| steps | T = 1 | T = 5 |")
    print("| --- | --- | --- |")
    for steps in (2, 10, 50, 1000):
        gaps = []
        for horizon in (1.0, 5.0):
            rng = np.random.default_rng(1)
            K, b = rng.standard_normal((1, 4, 4)), rng.standard_normal((1, 4))
            data = Data(*rng.standard_normal((2, 1, 4)))
            options = {"steps": steps, "horizon": horizon, "space": Constant()}
            phase = Phase("field", Tanh((4,), 4), ForwardEuler(), **options)
            problem = Problem((phase,), LeastSquares(), data)
            gaps.append(gradient_gap(problem, problem.flatten({"field": {"K": K, "b": b}})))
        print(f"| {steps} | " + " | ".join(f"{100 * gap:.2g} %" for gap in gaps) + " |")


if __name__ == "__main__":
    tolerances()
    print()
    inconsistency()
