"""Training in depth: transfers between depths, levels of a run, and going on from a stored one."""

from dataclasses import replace

import pytest
from numpy.testing import assert_allclose, assert_array_equal

import occore
from occore import Data, InputError, Phase, Problem, StructureError
from occore_classification.lbfgs import LBFGS
from occore_classification.newton_cg import NewtonCG
from occore_classification.scipy_minimize import ScipyMinimize
from occore_continuous.control_spaces.piecewise_constant import PiecewiseConstant
from occore_continuous.control_spaces.piecewise_linear import PiecewiseLinear
from occore_continuous.discretizations.rk4 import RK4
from occore_convolution.smoothness_in_time import SmoothnessInTime
from occore_least_squares.cgls import CGLS
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.linear import Linear
from occore_residual.depth import moved, shallower
from occore_residual.multilevel import Multilevel
from occore_residual.parabolic_dense import ParabolicDense


def problem_of(space, rng, steps=8):
    data = Data(rng.standard_normal((10, 3)), rng.standard_normal((10, 2)))
    hidden = Phase("hidden", ParabolicDense((3,)), RK4(), steps, 2.0, space=space)
    phases = (hidden, Phase("closing", Linear((3,), 2, initialisation="glorot")))
    return Problem(phases, LeastSquares() + 0.1 * SmoothnessInTime().for_phases(phases), data)


# control spaces, and what each is on the grid of the shallower problem, whatever the steps
SPACES = [
    (PiecewiseConstant(), PiecewiseConstant(2)),
    (PiecewiseLinear(), PiecewiseLinear(2)),
    (PiecewiseConstant(4), PiecewiseConstant(4)),
]


@pytest.mark.parametrize(("space", "coarse_space"), SPACES, ids=repr)
def test_prolonged_controls_are_the_same_functions_of_time(space, coarse_space, rng):
    """With the steps of the fine grid both give the same states; back again nothing has changed."""
    fine = problem_of(space, rng)
    coarse = shallower(fine, 4)
    assert coarse.phases[0].steps == 2
    c = coarse.initial_controls(rng)
    theta = moved(c, coarse, fine)
    assert_array_equal(moved(theta, fine, coarse), c)
    fixed = replace(fine.phases[0], space=coarse_space)
    u, v = coarse.unflatten(c), fine.unflatten(theta)
    x = fine.data.inputs
    assert_allclose(fine.phases[0](x, v["hidden"]), fixed(x, u["hidden"]), rtol=1e-13)
    assert_array_equal(v["closing"]["W"], u["closing"]["W"])


def test_the_penalty_of_a_level_is_that_of_its_intervals(rng):
    """Smoothness in time of controls that rise linearly is the same integral at all depths."""
    fine = problem_of(PiecewiseLinear(), rng)
    coarse = shallower(fine, 4)
    c = coarse.initial_controls(rng)
    values = []
    for problem, theta in ((coarse, c), (fine, moved(c, coarse, fine))):
        ((weight, term),) = problem.penalties
        values.append(weight * term(problem.unflatten(theta)))
    assert_allclose(values[0], values[1], rtol=1e-12)


def test_work_of_a_level_is_its_share_of_the_unknowns(rng):
    fine = problem_of(PiecewiseConstant(), rng)
    coarse = shallower(fine, 2)
    coarse.value_and_gradient(coarse.initial_controls(rng))
    assert fine.counts.work == pytest.approx(2 * coarse.size / fine.size)


def test_levels_follow_one_another(rng):
    problem = problem_of(PiecewiseConstant(), rng)
    optimizer = Multilevel(NewtonCG(max_iterations=4, tolerance=0.0), levels=3, iterations=2)
    theta = problem.initial_controls(rng)
    state, levels, values = optimizer.init(problem, theta), [], []
    while optimizer.finished(problem, theta, state) is None:
        theta, state = optimizer.step(problem, theta, state)
        levels.append(state.level)
        values.append(state.value)
    assert levels == [0, 0, 1, 1, 2, 2, 2, 2]
    assert values[-1] == problem.value(theta)
    report = optimizer.report(problem, theta, state)["multilevel"]
    assert_array_equal(report["steps"]["hidden"], [2, 4, 8])
    assert_array_equal(report["started"], [0, 2, 4])


def test_a_run_that_is_interrupted_on_a_coarse_level_goes_on_exactly(tmp_path):
    case = {
        "title": "levels",
        "data": {"kind": "ellipses", "points": 20},
        "phase": [
            {
                "name": "hidden",
                "dynamics": {"kind": "dense", "width": 2},
                "discretization": {"kind": "forward_euler", "steps": 4},
                "controls": {"kind": "piecewise_linear"},
            },
            {"name": "closing", "dynamics": {"kind": "linear", "width": 2}},
        ],
        "objective": {"kind": "softmax_cross_entropy"},
        "optimizer": {
            "kind": "multilevel",
            "method": {"kind": "lbfgs", "max_iterations": 6},
            "levels": 2,
            "iterations": 5,
        },
        "run": {"checkpoint_every": 1},
    }
    whole = occore.run(case, tmp_path / "whole.h5", checks=False)
    part = occore.load_case(case)
    cut = tmp_path / "part.h5"

    def stop(row):
        if row["iteration"] == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        occore.run(part, cut, checks=False, observe=stop)
    run = occore.resume(cut)
    assert_array_equal(run.checkpoint()["theta"], whole.checkpoint()["theta"])
    assert whole.result["multilevel"]["steps"]["hidden"].tolist() == [2, 4]
    assert whole.result["iterations"] == run.result["iterations"] > 6


def test_what_cannot_be_refined_is_refused(rng):
    problem = problem_of(PiecewiseConstant(), rng, steps=6)
    theta = problem.initial_controls(rng)
    with pytest.raises(InputError, match="no multiple of 4"):
        Multilevel(LBFGS(), levels=3).init(problem, theta)
    layers = replace(problem, phases=problem.phases[1:], objective=LeastSquares())
    with pytest.raises(InputError, match="no depth"):
        Multilevel(LBFGS()).init(layers, layers.initial_controls(rng))
    with pytest.raises(InputError, match="another method"):
        Multilevel(ScipyMinimize())
    with pytest.raises(StructureError, match=r"optimizer\.method: "):
        Multilevel(CGLS(), levels=2).init(problem, theta)
