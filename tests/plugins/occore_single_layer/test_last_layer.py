"""Iterations of some mini-batches, after which the last layer is found anew."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

import occore
from occore import Data, Example, Phase, Problem, StructureError
from occore.case.schema import case_schema
from occore.plugins import load_host
from occore.testing.optimizer import exact_resume, no_traces
from occore_classification.newton_cg import NewtonCG
from occore_classification.softmax_cross_entropy import SoftmaxCrossEntropy
from occore_least_squares.cgls import CGLS
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.linear import Linear
from occore_least_squares.qr import QR
from occore_least_squares.tikhonov import Tikhonov
from occore_single_layer.adam import Adam
from occore_single_layer.dense import Dense
from occore_single_layer.gram_newton import GramNewton
from occore_single_layer.sgd import SGD
from occore_single_layer.spectral_descent import SpectralDescent

METHODS = {
    "adam": Adam(learning_rate=0.01),
    "spectral_descent": SpectralDescent(learning_rate=0.02),
    "nesterov": SGD(learning_rate=0.01, momentum=0.9, nesterov=True),
}


def network(objective, targets, rng) -> Problem:
    """A tanh layer and a linear one, on 23 samples."""
    phases = (Phase("hidden", Dense((4,), 6)), Phase("out", Linear((6,), 3)))
    return Problem(phases, objective, Data(rng.standard_normal((23, 4)), targets))


@pytest.fixture
def problem(rng) -> Problem:
    """Three classes."""
    classes = np.eye(3)[rng.integers(0, 3, 23)]
    return network(SoftmaxCrossEntropy() + 0.01 * Tikhonov(), classes, rng)


@pytest.fixture
def theta(problem, rng):
    return problem.initial_controls(rng)


@pytest.mark.parametrize("name", METHODS)
def test_iterations_of_some_updates_make_up_an_epoch(problem, theta, name):
    """Five mini-batches of 5, the last one of 3: in one iteration, or in five and a sixth."""
    whole = replace(METHODS[name], batch=5, max_iterations=4, schedule="cosine")
    expected, state = whole.step(problem, theta, whole.init(problem, theta))
    parts = replace(whole, updates=1, max_iterations=20)
    found, after = theta, parts.init(problem, theta)
    for _ in range(5):
        found, after = parts.step(problem, found, after)
    assert np.array_equal(found, expected)
    assert np.array_equal(after.carried, state.carried)
    assert (state.iteration, after.iteration) == (1, 5)
    expected, _ = whole.step(problem, expected, state)
    twice = replace(whole, updates=5, max_iterations=4)
    assert np.array_equal(twice.step(problem, found, after)[0], expected)


def test_means_are_those_of_the_minibatches_of_an_iteration(problem, theta):
    method = SGD(batch=5, updates=2, learning_rate=1e-9)
    _, state = method.step(problem, theta, method.init(problem, theta))
    order = np.random.default_rng([0, 0]).permutation(23)
    part = problem.minibatch(order[:10])
    assert state.value == pytest.approx(part.value(theta), rel=1e-6)
    expected = np.linalg.norm(part.value_and_gradient(theta)[1])
    assert state.gradient_norm == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", METHODS)
def test_the_last_layer_is_at_its_minimum(problem, theta, name):
    """The others are where they would be without; J is what the state says."""
    plain = replace(METHODS[name], batch=5)
    method = replace(plain, last_layer=NewtonCG(tolerance=1e-10))
    state = method.init(problem, theta)
    found, state = method.step(problem, theta, state)
    expected, _ = plain.step(problem, theta, plain.init(problem, theta))
    assert np.array_equal(found[:30], expected[:30])
    value, g = problem.value_and_gradient(found)
    assert np.linalg.norm(g[30:]) < 1e-8
    assert state.value == pytest.approx(value, rel=1e-12)


def test_a_regression_by_qr(rng):
    targets = rng.standard_normal((23, 3))
    problem = network(LeastSquares("mean") + 0.01 * Tikhonov(), targets, rng)
    theta = problem.initial_controls(rng)
    method = Adam(batch=5, last_layer=QR())
    found, _ = method.step(problem, theta, method.init(problem, theta))
    assert_allclose(problem.value_and_gradient(found)[1][30:], 0, atol=1e-12)


def test_some_of_the_samples_are_drawn(problem, theta):
    """J of ten samples is minimal in w, and the state says how large it is there."""
    method = Adam(
        batch=5, updates=2, last_layer=NewtonCG(tolerance=1e-10), last_layer_samples=10, seed=4
    )
    found, state = method.step(problem, theta, method.init(problem, theta))
    part = problem.minibatch(np.random.default_rng([4, 2, 1]).permutation(23)[:10])
    value, g = part.value_and_gradient(found)
    assert np.linalg.norm(g[30:]) < 1e-8
    assert state.value == pytest.approx(value, rel=1e-12)
    assert np.linalg.norm(problem.value_and_gradient(found)[1][30:]) > 1e-3


@pytest.mark.parametrize("name", METHODS)
def test_resumed_after_each_iteration_it_ends_in_the_same_bits(problem, theta, rng, name):
    method = replace(
        METHODS[name],
        batch=5,
        updates=3,
        schedule="cosine",
        last_layer=GramNewton(max_iterations=2),
        last_layer_samples=15,
        max_iterations=5,
    )
    example = Example(method, problem=problem, theta=theta)
    exact_resume(example, rng)
    no_traces(example, rng)


def test_what_it_needs(problem, theta):
    with pytest.raises(StructureError, match=r"optimizer\.last_layer: needs the structure"):
        Adam(last_layer=CGLS()).init(problem, theta)
    single = Problem((Phase("out", Linear((4,), 3)),), problem.objective, problem.data)
    with pytest.raises(StructureError, match=r"last_layer: needs the structure 'separable'"):
        Adam(last_layer=GramNewton()).init(single, np.zeros(single.size))


def test_it_is_a_table_of_the_case():
    path = "cases/04_single_layer/peaks5_adam.toml"
    settings = ['optimizer.last_layer={kind="gram_newton", damping=0.5}']
    method = occore.load_case(path, settings=settings).optimizer.make()
    assert method.last_layer == GramNewton(damping=0.5)
    with pytest.raises(occore.InputError, match="Did you mean 'gram_newton'"):
        occore.load_case(path, settings=['optimizer.last_layer={kind="gram_neuton"}'])


def test_the_schema_offers_it_and_the_methods_that_have_it():
    properties = case_schema(load_host().registry)["properties"]["optimizer"]["oneOf"]
    options = {one["properties"]["kind"]["const"]: one["properties"] for one in properties}

    def kinds(option):
        return {one["properties"]["kind"]["const"] for one in option["oneOf"]}

    assert {"gram_newton", "adam"} < kinds(options["adam"]["last_layer"])
    assert "adam" in kinds(options["saa"]["method"])
    assert "saa" not in kinds(options["saa"]["method"])  # it needs a method itself
