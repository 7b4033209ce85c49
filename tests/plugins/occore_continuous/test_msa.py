"""MSA against hand calculation, and the exactness of the Hamiltonians' derivatives."""

import importlib.util
import tomllib
from pathlib import Path

import numpy as np
import pytest

import occore
from occore import Status, courses
from occore_continuous.msa import MSA, Hamiltonians
from occore_continuous.pontryagin import Pontryagin


@pytest.fixture(scope="module")
def example():
    path = Path("docs/examples/discrete_optima.py")
    spec = importlib.util.spec_from_file_location("discrete_optima", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def solve(msa, problem, theta):
    state = msa.init(problem, theta)
    while (status := msa.finished(problem, theta, state)) is None:
        theta, state = msa.step(problem, theta, state)
    return theta, state, status


CASE = tomllib.loads("""
title = "network"
[data]
kind = "simulated"
states = ["x", "y"]
rates = { x = "y", y = "-x" }
start = [1.0, 0.0]
horizon = 1.0
observations = 3
trajectories = 2
spread = 1.0
[[phase]]
name = "lift"
dynamics = { kind = "augment", zeros = 1 }
[[phase]]
name = "flow"
dynamics = { kind = "neural_field", hidden = [3], time = "concat" }
discretization = { kind = "dopri5", rtol = 1e-4 }
controls = { kind = "piecewise_linear", intervals = 2 }
[[phase]]
name = "drop"
dynamics = { kind = "projection", keep = 2 }
[[phase]]
name = "last"
dynamics = { kind = "neural_field", hidden = [] }
discretization = { kind = "rk4", steps = 3 }
observations = "data"
controls = { kind = "constant" }
[objective]
kind = "observation_misfit"
[[objective.penalty]]
kind = "tikhonov"
weight = 0.1
[optimizer]
kind = "msa"
""")


@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_the_gradient_of_the_hamiltonians_is_that_of_the_problem(rng, rho):
    """At v = u, over layers, adaptive steps, observations and penalties."""
    built = occore.load_case(CASE).build()
    problem, theta = built.problem, built.theta + 0.1 * rng.standard_normal(built.theta.shape)
    sums = Hamiltonians(problem, theta, courses(problem, theta), rho)
    _, gradient = sums(theta)
    expected = problem.at(theta).gradient()
    assert np.allclose(gradient, expected, rtol=1e-11, atol=1e-12)
    v, d, h = theta + 0.1 * rng.standard_normal(theta.shape), rng.standard_normal(theta.shape), 1e-5
    quotient = (sums(v + h * d)[0] - sums(v - h * d)[0]) / (2 * h)
    assert sums(v)[1] @ d == pytest.approx(quotient, rel=1e-7)


def test_basic_msa_on_a_linear_quadratic_problem(example):
    """u ← −p: with x = 1 + ∫u and p(0) = ∫x it contracts by 4/π², the square of the norm of ∫."""
    problem = example.problem("midpoint", "piecewise_constant", 6)
    best, theta = example.optimum(problem), np.zeros(problem.size)
    msa, errors = MSA(regularization=0.0), []
    state = msa.init(problem, theta)
    for _ in range(8):
        errors.append(np.linalg.norm(theta - best))
        theta, state = msa.step(problem, theta, state)
    assert errors[7] / errors[6] == pytest.approx(4 / np.pi**2, rel=0.05)


def test_regularisation_makes_msa_converge_where_the_basic_method_does_not(example):
    """Twice the horizon: ∫ has the norm 2 · 2/π > 1, so that u ← −p diverges."""
    from dataclasses import replace

    problem = example.problem("midpoint", "piecewise_constant", 6)
    problem = replace(problem, phases=(replace(problem.phases[0], horizon=2.0),))
    start, best = np.zeros(problem.size), example.optimum(problem)
    theta, state = start, MSA(regularization=0.0).init(problem, start)
    for _ in range(4):
        theta, state = MSA(regularization=0.0).step(problem, theta, state)
    assert np.linalg.norm(theta - best) > np.linalg.norm(start - best)
    theta, _, status = solve(MSA(regularization=1.0, tolerance=1e-5), problem, start)
    assert status is Status.CONVERGED
    assert np.allclose(theta, best, atol=1e-3)


def test_a_start_that_is_unknown_is_refused():
    built = occore.load_case("cases/08_continuous/orbit.toml", settings=["optimizer.kind=msa"])
    built = built.build()
    state = built.optimizer.init(built.problem, built.theta)
    with pytest.raises(occore.InputError, match="with a given start"):
        built.optimizer.step(built.problem, built.theta, state)


@pytest.mark.parametrize(
    ("method", "space", "order"),
    [
        ("forward_euler", "piecewise_constant", 1),
        ("midpoint", "piecewise_constant", 2),
        ("heun", "piecewise_linear", 2),
        ("rk4", "piecewise_linear", 4),
    ],
)
def test_the_discrete_optimum_converges_with_the_order_of_the_method(example, method, space, order):
    """Objective, end state and costate; the Hamiltonian is constant up to that order as well."""
    found, slopes = example.orders(method, space, counts=(8, 16))
    places = [example.COLUMNS.index(n) for n in ("objective", "end state", "costate")]
    assert np.all(slopes[places] > order - 0.2)
    assert slopes[example.COLUMNS.index("drift of H")] > order - 0.2
    assert np.all(np.abs(found[-1]) < np.abs(found[0]))


def test_riccati(example):
    """To 1e-8: objective, end state, costate and Hamiltonian of the discrete optimum."""
    problem = example.problem("rk4", "piecewise_linear", 40)
    found = example.errors(problem, example.optimum(problem))
    named = dict(zip(example.COLUMNS, found, strict=True))
    assert all(abs(named[n]) < 1e-8 for n in ("objective", "end state", "costate", "H"))


def test_pontryagins_residuals_fall_with_the_step(rng):
    """At any controls: between the nodes both equations hold up to the error of the cubics, h³."""
    theta, seen = None, []
    for steps in (8, 16):
        built = occore.load_case(CASE, settings=[f"phase.last.discretization.steps={steps}"])
        built = built.build()
        theta = (
            built.theta + 0.3 * rng.standard_normal(built.theta.shape) if theta is None else theta
        )
        seen.append(Pontryagin().observe(built.problem, theta, 0))
    assert {name.partition("/")[0] for name in seen[0]} == {"flow", "last"}
    for name in ("last/costate_residual", "last/state_residual"):
        assert seen[0][name] / seen[1][name] > 7
