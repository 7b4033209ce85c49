"""Counts of evaluations against the stages of the methods."""

import numpy as np
import pytest

import occore
from occore import efforts

CASE = {
    "title": "decay",
    "phase": [
        {
            "name": "flow",
            "dynamics": {
                "kind": "symbolic",
                "states": ["x"],
                "controls": ["u"],
                "unknowns": ["k"],
                "rates": {"x": "-k*x + u"},
            },
            "discretization": {"kind": "rk4", "steps": 5},
            "start": {"x": 1.0},
            "guess": {"k": 0.5},
        }
    ],
    "objective": {"kind": "bolza", "running": "x**2 + u**2", "terminal": "x"},
    "optimizer": {"kind": "lbfgs", "max_iterations": 2},
}


def effort(*settings):
    built = occore.load_case(CASE, settings=settings).build()
    (found,) = efforts(built.problem, built.theta).values()
    return found


@pytest.mark.parametrize(("method", "stages"), [("forward_euler", 1), ("rk4", 4), ("dopri8", 12)])
def test_explicit_methods_evaluate_each_stage_forward_and_back(method, stages):
    found = effort(f"phase.flow.discretization.kind={method}")
    assert found == (5, 0, 5 * stages, 5 * stages)


def test_an_adaptive_grid_costs_its_attempts():
    """Two evaluations for the first step, seven an attempt, then six a step of the march."""
    found = effort("phase.flow.discretization={kind='dopri5', rtol=1e-8, first_step=1.0}")
    assert found.rejected_steps > 0
    attempts = found.steps + found.rejected_steps
    assert found.evaluations == 7 * attempts + 6 * found.steps
    assert found.adjoint_evaluations == 6 * found.steps


def test_counting_changes_no_work_and_no_log():
    built = occore.load_case(CASE, settings=["phase.flow.memory={slots=2}"]).build()
    problem = built.problem
    efforts(problem, built.theta)
    (phase,) = problem.phases
    assert problem.counts.work == 0
    assert phase.cost.steps == phase.log.accepted == 0


def test_the_run_keeps_and_shows_them(tmp_path):
    run = occore.run(occore.load_case(CASE), tmp_path / "run.h5")
    cost = run.result["integration"]["flow"]
    assert cost["evaluations"] == cost["adjoint_evaluations"] == 20


def test_implicit_steps_count_what_newton_needs():
    found = effort("phase.flow.discretization.kind=implicit_midpoint")
    assert found.evaluations >= 5
    assert np.isfinite(found.adjoint_evaluations)
