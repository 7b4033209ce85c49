"""Convolution layers in one pass: all products agree with those in passes, whatever the threads."""

import numpy as np
import pytest

from occore import threads
from occore.kernels import convolution
from occore_convolution.convolution import Convolution, FusedLinearization

pytest.importorskip("numba")

FUSED = ("identity", "tanh", "logistic", "relu", "scaled_tanh")
LAYERS = (
    Convolution((5, 6, 1), 8, 3, activation="relu"),
    Convolution((5, 6, 1), 8, 3, activation="tanh", bias=False),
    Convolution((6, 5, 3), 2, (3, 4), "reflecting", activation="relu"),
    Convolution((9, 2), 20, 2, "periodic", 2, activation="logistic"),
)


def products(layer, rng, dtype=np.float64, samples=11):
    """All products of a layer at a point, as a function."""

    def drawn(*shape):
        return rng.standard_normal(shape).astype(dtype)

    def controls():
        return {name: drawn(*shape) for name, shape in layer.controls.shapes.items()}

    x, dx = drawn(samples, *layer.state_shape), drawn(samples, *layer.state_shape)
    p, u, du = drawn(samples, *layer.output_shape), controls(), controls()

    def compute():
        y, part = layer.linearize(0.0, x, u)
        px, pu = part.vjp(p)
        dpx, dpu = part.curvature(p, dx, du)
        several = (pu, part.control_vjp(p), dpu, part.control_second(p, p, du))
        named = [entry for each in several for entry in each.values()]
        tangents = part.jvp(dx, du), part.control_jvp(du)
        return [layer(0.0, x, u), y, px, dpx, *tangents, *named], part

    return compute


def assert_agree(layer, rng, monkeypatch, dtype, rtol):
    compute = products(layer, rng, dtype)
    generic, part = compute()  # too few products for the loops
    assert not isinstance(part, FusedLinearization)
    monkeypatch.setattr(convolution, "FEWEST_PRODUCTS", 0)
    fused, part = compute()
    assert isinstance(part, FusedLinearization)
    for expected, found in zip(generic, fused, strict=True):
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        assert np.max(np.abs(found - expected)) <= rtol * (1 + np.max(np.abs(expected)))


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_in_one_pass_and_in_several(layer, rng, monkeypatch):
    assert_agree(layer, rng, monkeypatch, np.float64, 1e-14)


@pytest.mark.parametrize("activation", FUSED)
def test_every_activation_in_single_precision(activation, rng, monkeypatch):
    layer = Convolution((5, 6, 1), 8, 3, activation=activation)
    assert_agree(layer, rng, monkeypatch, np.float32, 2e-6)


@pytest.mark.parametrize(
    "layer",
    [
        Convolution((5, 6, 1), 8, 3, activation="sin"),
        Convolution((6, 6, 8), 16, 3, activation="relu"),  # by Winograd's algorithm
        Convolution((5, 6, 1), 8, 3, "periodic", realisation="fft"),
    ],
    ids=str,
)
def test_other_layers_go_in_passes(layer, rng, monkeypatch):
    monkeypatch.setattr(convolution, "FEWEST_PRODUCTS", 0)
    monkeypatch.setattr(convolution.StencilKernel, "forward", lambda *_: pytest.fail("fused"))
    x = rng.standard_normal((2, *layer.state_shape))
    assert not layer._fuses(x, layer.initial_controls(rng))


def test_adjoints_that_are_no_plain_arrays_go_in_passes(rng, monkeypatch):
    monkeypatch.setattr(convolution, "FEWEST_PRODUCTS", 0)
    layer = Convolution((5, 6, 1), 8, 3, activation="relu")
    x, p = rng.standard_normal((3, 5, 6, 1)), rng.standard_normal((3, 5, 6, 8))
    _, part = layer.linearize(0.0, x, layer.initial_controls(rng))
    real, complex_ = part.vjp(p), part.vjp(p * (1 + 2j))
    np.testing.assert_allclose(complex_[0], real[0] * (1 + 2j), rtol=1e-12)
    np.testing.assert_allclose(complex_[1]["b"], real[1]["b"] * (1 + 2j), rtol=1e-12)


def test_what_is_not_a_number_stays_so(rng, monkeypatch):
    monkeypatch.setattr(convolution, "FEWEST_PRODUCTS", 0)
    layer = Convolution((5, 6, 1), 8, 3, activation="relu")
    x = np.full((1, 5, 6, 1), np.nan)
    assert np.all(np.isnan(layer(0.0, x, layer.initial_controls(rng))))


def test_the_number_of_threads_changes_nothing(rng, monkeypatch):
    monkeypatch.setattr(convolution, "FEWEST_PRODUCTS", 0)
    monkeypatch.setattr(convolution, "FEWEST_IN_SHARDS", 0)
    compute = products(LAYERS[0], rng, samples=100)
    bits = set()
    for count in (1, 2, 7):
        monkeypatch.setattr(threads, "cores", lambda count=count: count)
        bits |= {tuple(a.tobytes() for a in compute()[0]) for _ in range(3)}
    assert len(bits) == 1
