"""Checks of maps with kinks: right derivatives pass among thousands of kinks, wrong ones fail."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from occore import Data, Layout, Phase, Problem
from occore.checks import check_problem
from occore.dynamics import Dynamics
from occore.linearization import Linearization
from occore_classification.softmax_cross_entropy import SoftmaxCrossEntropy
from occore_convolution.convolution import Convolution
from occore_convolution.max_pooling import MaxPooling
from occore_least_squares.linear import Linear
from occore_single_layer.dense import Dense
from occore_single_layer.flatten import Flatten


@dataclass(frozen=True)
class Wrong(Linearization):
    """A linearization one of whose products is off by a thousandth."""

    right: Linearization
    spoilt: str

    def _off(self, name):
        return 1.001 if self.spoilt == name else 1.0

    def jvp(self, dx, du):
        return self._off("first") * self.right.jvp(dx, du)

    def vjp(self, py):
        px, pu = self.right.vjp(py)
        factor = self._off("first")
        return factor * px, {name: factor * p for name, p in pu.items()}

    def curvature(self, py, dx, du):
        qx, qu = self.right.curvature(py, dx, du)
        factor = self._off("second")
        return factor * qx, {name: factor * q for name, q in qu.items()}


@dataclass(frozen=True)
class Spoilt(Dynamics):
    """A layer with a wrong derivative."""

    layer: Dense
    spoilt: str
    kinks = True

    @property
    def controls(self) -> Layout:
        return self.layer.controls

    @property
    def output_shape(self):
        return self.layer.output_shape

    def __call__(self, t, x, u):
        return self.layer(t, x, u)

    def linearize(self, t, x, u):
        y, part = self.layer.linearize(t, x, u)
        return y, Wrong(part, self.spoilt)


def checked(phases, inputs, rng):
    targets = np.eye(3)[rng.integers(0, 3, len(inputs))]
    problem = Problem(phases, SoftmaxCrossEntropy(), Data(inputs, targets))
    theta = problem.initial_controls(rng)
    return check_problem(problem, theta + 0.1 * rng.standard_normal(theta.shape), rng)


def hidden(layer, closing=None):
    return (Phase("hidden", layer), Phase("fit", closing or Linear(layer.output_shape, 3)))


@pytest.mark.parametrize("activation", ["relu", "softsign"])
@pytest.mark.parametrize("seed", range(3))
def test_thousands_of_kinks_are_no_failure(activation, seed):
    rng = np.random.default_rng(seed)
    rows = checked(hidden(Dense((50,), 1000, activation)), rng.standard_normal((20, 50)), rng)
    assert not [row for row in rows if row.failed]
    assert {row.check for row in rows} >= {"quotient, first", "quotient, second"}


def test_pictures_with_an_empty_background_and_ties():
    rng = np.random.default_rng(1)
    pictures = np.zeros((8, 12, 12, 1))
    pictures[:, 4:8, 4:8] = rng.uniform(size=(8, 4, 4, 1))
    convolution = Convolution((12, 12, 1), 4, activation="relu")
    pooling = MaxPooling((12, 12, 4), 2)
    phases = (
        Phase("convolution", convolution),
        Phase("pooling", pooling),
        Phase("flatten", Flatten((6, 6, 4))),
        Phase("fit", Linear((144,), 3, initialisation="glorot")),
    )
    assert not [row for row in checked(phases, pictures, rng) if row.failed]


@pytest.mark.parametrize("spoilt", ["first", "second"])
def test_a_derivative_that_is_off_by_a_thousandth_is_found(spoilt):
    rng = np.random.default_rng(2)
    layer = Spoilt(Dense((6,), 40, "relu"), spoilt)
    phases = (Phase("opening", Dense((5,), 6)), *hidden(layer))  # relu alone has no curvature in u
    rows = checked(phases, rng.standard_normal((20, 5)), rng)
    failed = {(row.subject, row.check) for row in rows if row.failed}
    assert ("hidden", f"quotient, {spoilt}") in failed
    assert ("objective", f"quotient, {spoilt}") in failed


def test_layers_without_kinks_keep_the_slopes():
    rng = np.random.default_rng(3)
    rows = checked(hidden(Dense((5,), 4)), rng.standard_normal((6, 5)), rng)
    assert not {row.check for row in rows} & {"quotient, first", "quotient, second"}
    assert replace(Dense((5,), 4), activation="relu").kinks
