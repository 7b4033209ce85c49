"""Normalisation: moments, planted bugs, and what held-out inputs are normalised by."""

from dataclasses import replace

import numpy as np
import pytest

import occore
from occore.events import Event
from occore.testing.mutation import failure, replaced, wrapped
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.discretizations.backward_euler import BackwardEuler
from occore_continuous.discretizations.rk4 import RK4
from occore_convolution.batch_normalisation import BatchNormalisation
from occore_convolution.instance_normalisation import InstanceNormalisation
from occore_convolution.normalisation import NormalisedLinearization
from occore_convolution.tv_normalisation import TVNormalisation
from occore_least_squares.least_squares import LeastSquares
from occore_single_layer.dense import Dense

SHAPE = (6, 5, 3)


@pytest.fixture
def x():
    return 3 + 2 * np.random.default_rng(7).standard_normal((4, *SHAPE))


def test_a_batch_is_normalised_over_samples_and_cells(x):
    f = BatchNormalisation(SHAPE)
    u = {"scale": np.array([1.0, 2.0, -3.0]), "shift": np.array([0.0, 1.0, 2.0])}
    y = f(0.0, x, u)
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2)), u["shift"], atol=1e-13)
    np.testing.assert_allclose(y.std(axis=(0, 1, 2)), abs(u["scale"]), rtol=1e-5)


def test_an_instance_is_normalised_over_its_cells(x):
    y = InstanceNormalisation(SHAPE)(0.0, x, {})
    np.testing.assert_allclose(y.mean(axis=(1, 2)), 0, atol=1e-13)
    np.testing.assert_allclose(y.std(axis=(1, 2)), 1, rtol=1e-5)


def test_channels_of_a_cell_have_length_one(x):
    f = TVNormalisation(SHAPE, epsilon=1e-12)
    np.testing.assert_allclose(np.linalg.norm(f(0.0, x, {}), axis=-1), 1, rtol=1e-12)
    assert not f(0.0, 0 * x, {}).any()


@pytest.mark.parametrize("kind", [BatchNormalisation, InstanceNormalisation, TVNormalisation])
def test_a_fresh_scale_changes_nothing(kind, x):
    f = kind(SHAPE, trainable=True)
    u = f.initial_controls(np.random.default_rng(0))
    np.testing.assert_array_equal(f(0.0, x, u), replace(f, trainable=False)(0.0, x, {}))


def test_one_sample_without_a_grid_becomes_the_shift():
    y = BatchNormalisation((2,))(0.0, np.array([[5.0, -1.0]]), {"scale": 3.0, "shift": 0.5})
    np.testing.assert_array_equal(y, [[0.5, 0.5]])


def test_vectors_have_no_instances():
    with pytest.raises(occore.InputError, match="instance normalisation takes pictures"):
        InstanceNormalisation((64,))


def problem(phases):
    rng = np.random.default_rng(1)
    data = occore.Data(rng.standard_normal((8, 3)), rng.standard_normal((8, 2)))
    return occore.Problem(phases, LeastSquares(), data)


LAYERS = (
    occore.Phase("first", Dense((3,), 4)),
    occore.Phase("norm", BatchNormalisation((4,), epsilon=0.1)),
    occore.Phase("last", Dense((4,), 2, activation="identity")),
)


def test_held_out_inputs_are_normalised_by_the_training_data():
    """Against the formula written out, with mean and variance of the training states."""
    p, rng = problem(LAYERS), np.random.default_rng(2)
    theta, inputs = rng.standard_normal(p.size), rng.standard_normal((5, 3))
    u = p.unflatten(theta)
    known, new = (np.tanh(x @ u["first"]["K"].T + u["first"]["b"]) for x in (p.data.inputs, inputs))
    z = (new - known.mean(axis=0)) / np.sqrt(known.var(axis=0) + 0.1)
    y = u["norm"]["scale"] * z + u["norm"]["shift"]
    expected = y @ u["last"]["K"].T + u["last"]["b"]
    np.testing.assert_allclose(p.output(theta, inputs), expected, rtol=1e-12)
    np.testing.assert_allclose(p.output(theta, inputs[3:4]), expected[3:4], rtol=1e-12)
    np.testing.assert_array_equal(p.output(theta, p.data.inputs), p.output(theta))


def test_held_out_inputs_pass_an_integrated_phase_too():
    """A copy of the training data, held out, takes the way of the training data."""
    flow = occore.Phase("flow", BatchNormalisation((3,)), RK4(), 4, space=Constant())
    p = problem((flow, occore.Phase("last", Dense((3,), 2))))
    theta = p.initial_controls(np.random.default_rng(3))
    np.testing.assert_allclose(p.output(theta, p.data.inputs[2:5].copy()), p.output(theta)[2:5])


def test_what_takes_samples_one_by_one_refuses_coupled_ones():
    f = BatchNormalisation((3,))
    with pytest.raises(occore.InputError, match="events happen to each sample on its own"):
        occore.Phase("flow", f, RK4(), space=Constant(), events=(Event("end", f),))
    p = problem((occore.Phase("flow", f, BackwardEuler(), space=Constant()), LAYERS[2]))
    with pytest.raises(occore.InputError, match="take an explicit discretization"):
        p.value(p.initial_controls(np.random.default_rng(3)))


def without_means(original, self, pz, g):
    return self.s * (pz - self.w * g * self.z)


def without_deviations(original, self, pz, g):
    return original(self, pz, 0 * g)


def unweighted(original, self, dx):
    return original(replace(self, groups=replace(self.groups, leading=None)), dx)


def by_two(original, self, samples):
    return original(self, 2)


def by_all(original, self, samples):
    return self


MUTANTS = {
    "said-to-be-apart": ("one_by_one", replaced(BatchNormalisation, "couples_samples", False)),
    "by-all": ("coupled", wrapped(BatchNormalisation, "coupled_by_first", by_all)),
    "by-two": ("coupled", wrapped(BatchNormalisation, "coupled_by_first", by_two)),
    "no-seam": ("coupled", replaced(BatchNormalisation, "coupled_by_first", None)),
    "means-held": ("transpose", wrapped(NormalisedLinearization, "_px", without_means)),
    "deviations-held": ("transpose", wrapped(NormalisedLinearization, "_px", without_deviations)),
    "tangent-of-all": ("coupled", wrapped(NormalisedLinearization, "_dz", unweighted)),
}
"""Bugs, and the beginning of the name of the check that must catch them."""


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_suite_catches(mutant, monkeypatch):
    check, plant = MUTANTS[mutant]
    plant(monkeypatch)
    assert failure("dynamics", BatchNormalisation.example(), check) is not None


def test_the_suite_catches_samples_that_are_only_said_to_be_coupled(monkeypatch):
    monkeypatch.setattr(InstanceNormalisation, "couples_samples", True)
    found = failure("dynamics", InstanceNormalisation.example(), "coupled_samples")
    assert found is not None
    assert "says that samples are coupled, but they are not" in found
