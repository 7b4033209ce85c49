"""Data sets with a known answer."""

import numpy as np
import pytest

import occore
from occore_classification.datasets.peaks5 import peaks
from occore_single_layer.datasets.inverse_crime import InverseCrime
from occore_single_layer.datasets.peaks import Peaks
from occore_single_layer.datasets.sinc import Sinc, sinc


def test_sinc_at_known_points():
    x = np.array([0.0, np.pi, np.pi / 2])
    np.testing.assert_allclose(sinc(x), [1.0, 0.0, 2 / np.pi], atol=1e-15)


def test_sinc_is_noisy_in_training_and_clean_in_the_test(rng):
    data = Sinc(samples=4000, test_samples=300).load((), rng)
    noise, x = data.targets - np.sin(data.inputs) / data.inputs, data.inputs
    assert data.held_out is not None
    assert np.abs(x).max() <= 10
    assert np.abs(noise).max() <= 0.2
    assert noise.std() == pytest.approx(0.2 / np.sqrt(3), rel=0.05)
    test = data.held_out
    assert test.inputs.shape == (300, 1)
    np.testing.assert_allclose(test.targets, np.sin(test.inputs) / test.inputs, rtol=1e-12)


CASE = {
    "title": "t",
    "data": {"kind": "sinc", "samples": 50, "test_samples": 7},
    "phase": [{"name": "fit", "dynamics": {"kind": "linear", "width": 1}}],
    "objective": {"kind": "least_squares"},
    "optimizer": {"kind": "qr"},
}


def test_the_clean_samples_are_the_held_out_part_of_a_case():
    built = occore.load_case(CASE).build()
    assert built.problem.data.samples == 50
    assert built.held_out is not None
    assert built.held_out.samples == 7


def test_a_fraction_beside_them_is_refused():
    case = occore.load_case(CASE, settings=["data.held_out=0.5"])
    with pytest.raises(occore.InputError, match=r"data\.held_out: the data bring their own"):
        case.build()


def test_peaks_are_on_the_surface_and_drawn_once(rng):
    data = Peaks(samples=2000).load((), rng)
    x, y = data.inputs.T
    np.testing.assert_allclose(data.targets[:, 0], peaks(x, y), rtol=1e-12)
    assert len(np.unique(data.inputs, axis=0)) == 2000


def test_the_known_weights_of_the_inverse_crime_have_no_residual():
    dataset = InverseCrime()
    data = dataset.load((), np.random.default_rng(4))
    y, u, W = dataset.draw(np.random.default_rng(4))
    assert np.array_equal(data.inputs, y)
    assert data.targets.shape == (500, 10)
    np.testing.assert_allclose(np.tanh(y @ u["K"].T + u["b"]) @ W.T, data.targets, atol=1e-12)
