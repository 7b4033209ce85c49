"""Controls of a coarse grid on a fine one: the same field to the order of truncation, and nearly
the same predictions."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

import occore
from occore import InputError, stability
from occore_convolution.differential_operators import coefficients_of, stencil_of
from occore_convolution.galerkin import prolongation, refined, restriction
from occore_convolution.parabolic_convolution import ParabolicConvolution
from occore_convolution.resolution_transfer import WAYS, transfer

BETA = np.array([1.0, 0.3, 0.02]).reshape(3, 1, 1)


def rate(cells, beta):
    """The parabolic field of a sine on a periodic grid of [0, 1]."""
    field = ParabolicConvolution(
        (cells, 1), boundary="periodic", parametrisation="differential", mesh_size=1 / cells
    )
    x = np.sin(2 * np.pi * (np.arange(cells) + 0.5) / cells).reshape(1, cells, 1)
    return field(0.0, x, {"beta": beta, "b": np.array([0.2])})[0, :, 0]


@pytest.mark.parametrize("way", ["rediscretised", "galerkin"])
def test_the_field_on_twice_the_cells(way):
    gaps = []
    for cells in (128, 256, 512):
        fine = BETA
        if way == "galerkin":
            stencil = refined(stencil_of(BETA, 1 / cells, (0,)), (0,))
            fine = coefficients_of(stencil, 1 / (2 * cells), (0,))
        gap = restriction(cells) @ rate(2 * cells, fine) - rate(cells, BETA)
        gaps.append(np.max(np.abs(gap)))
    assert_allclose(np.log2(np.array(gaps[:-1]) / gaps[1:]), 2, atol=0.03)


def test_stencils_left_as_they_are_mean_another_operator():
    """The same stencil on half the mesh: ∂x counts half, ∂xx a quarter; the gap does not fall."""
    gaps = []
    for cells in (32, 64, 128):
        fine = coefficients_of(stencil_of(BETA, 1 / cells, (0,)), 1 / (2 * cells), (0,))
        assert_allclose(fine.ravel(), [1.0, 0.15, 0.005], rtol=1e-9)
        gaps.append(np.max(np.abs(restriction(cells) @ rate(2 * cells, fine) - rate(cells, BETA))))
    assert min(gaps) > 0.5 * max(gaps)


CASE = """
title = "Digits in differential operators"
seed = 7

[data]
kind = "resampled"
side = 8
held_out = 0.3
source = { kind = "digits" }

[[phase]]
name = "picture"
dynamics = { kind = "picture" }

[[phase]]
name = "opening"
dynamics = { kind = "convolution", channels = 4, stencil = 1 }

[[phase]]
name = "heat"
dynamics = { kind = "parabolic_convolution", parametrisation = "axial", mesh_size = 2.0 }
discretization = { kind = "forward_euler", steps = 4 }
horizon = 1.0
controls = { kind = "piecewise_constant", intervals = 4 }

[[phase]]
name = "pooling"
dynamics = { kind = "average_pooling", window = 2 }

[[phase]]
name = "features"
dynamics = { kind = "flatten" }

[[phase]]
name = "closing"
dynamics = { kind = "linear", width = 10 }

[objective]
kind = "softmax_cross_entropy"
[[objective.penalty]]
kind = "tikhonov"
weight = 1e-3

[optimizer]
kind = "lbfgs"
max_iterations = 20
"""
FINE = ("data.side=16", "phase.heat.dynamics.mesh_size=1.0", "phase.pooling.dynamics.window=4")
STENCILS = (*FINE, "phase.heat.dynamics.parametrisation=stencil")


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    path = tmp_path_factory.mktemp("transfer") / "case.toml"
    path.write_text(CASE)
    return path


@pytest.fixture(scope="module")
def trained(case):
    run = occore.run(case, case.with_suffix(".h5"))
    return occore.load_case(case).build(), np.asarray(run["checkpoint/theta"])


def fine_problem(case, *settings):
    return occore.load_case(case, settings=settings).build().problem


def error(problem, theta, inputs, data):
    return np.mean(np.argmax(problem.output(theta, inputs), axis=1) != occore.true_classes(data))


def test_what_is_trained_on_64_pixels_predicts_on_256(case, trained):
    """Digits interpolated linearly: 2 % more errors than on the coarse pictures at the most."""
    built, theta = trained
    P, data = prolongation(8).toarray(), built.held_out
    inputs = (P @ data.inputs.reshape(-1, 8, 8) @ P.T).reshape(-1, 256)
    errors = {}
    for way in WAYS:
        problem, moved = transfer(built.problem, theta, fine_problem(case, *STENCILS), way)
        errors[way] = error(problem, moved, inputs, data)
        heat = problem.phases[2]
        assert stability(heat, problem.unflatten(moved)["heat"])["step_over_bound"] <= 1
    coarse = error(built.problem, theta, data.inputs, data)
    assert coarse < 0.15
    assert max(errors["rediscretised"], errors["galerkin"]) < min(coarse + 0.02, errors["copied"])


def test_coefficients_stay_where_they_are_the_controls(case):
    built = occore.load_case(case).build()
    problem, moved = transfer(built.problem, built.theta, fine_problem(case, *FINE))
    assert_allclose(moved, built.theta, atol=1e-12)
    assert problem.phases[2].steps % 4 == 0
    again, stencils = transfer(built.problem, built.theta, fine_problem(case, *STENCILS))
    inputs = np.random.default_rng(0).random((2, 256))
    assert_allclose(problem.output(moved, inputs), again.output(stencils, inputs), atol=1e-10)


@pytest.mark.parametrize(
    ("before", "after", "way", "match"),
    [
        ([], ["data.side=12"], "copied", r"\(8, 8\) cells has \(16, 16\), not \(12, 12\)"),
        ([], ["data.side=8", STENCILS[-1], "objective.penalty=[]"], "copied", "heat/K .* missing"),
        ([], [STENCILS[0], "phase.pooling.dynamics.window=2"], "copied", "windows must be twice"),
        ([], FINE, "galerkin", 'take "stencil" on the finer grid'),
        ([], [*FINE, "phase.heat.name=cold", "objective.penalty=[]"], "copied", "phases"),
        (["phase.opening.dynamics.stencil=3"], FINE, "copied", "'opening'.* stencil = 1"),
        (
            [
                "phase.heat.dynamics.parametrisation=stencil",
                "phase.heat.dynamics.stencil=5",
            ],
            FINE,
            "copied",
            "3 taps along each axis",
        ),
        (
            ["phase.heat.controls={kind='piecewise_constant'}"],
            [*FINE, "phase.heat.controls={kind='piecewise_constant'}"],
            "rediscretised",
            "`intervals`",
        ),
    ],
)
def test_chains_that_do_not_fit(case, before, after, way, match):
    built = occore.load_case(case, settings=before).build()
    with pytest.raises(InputError, match=match):
        transfer(built.problem, 10 * built.theta, fine_problem(case, *after), way)


def test_given_times_that_are_too_far_apart(case):
    built, fine = occore.load_case(case).build(), fine_problem(case, *FINE)
    phases = list(fine.phases)
    phases[2] = replace(phases[2], times=(0.0, 0.25, 0.5, 0.75, 1.0))
    with pytest.raises(InputError, match="'heat': its given times"):
        transfer(built.problem, 10 * built.theta, replace(fine, phases=tuple(phases)))
