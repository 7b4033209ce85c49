"""Dense fields: what the mathematics promises of their spectra, and what they share with others."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore import InputError
from occore_convolution.hamiltonian_convolution import HamiltonianConvolution
from occore_convolution.hyperbolic_convolution import HyperbolicConvolution
from occore_convolution.parabolic_convolution import ParabolicConvolution
from occore_convolution.structured_layer import StructuredLayer
from occore_residual.hamiltonian_dense import HamiltonianDense
from occore_residual.hyperbolic_dense import HyperbolicDense
from occore_residual.parabolic_dense import ParabolicDense
from occore_residual.single_hamiltonian_dense import SingleHamiltonianDense


def jacobian(field, x, u):
    n = x.size
    _, part = field.linearize(0.0, np.repeat(x[None], n, axis=0), u)
    still = {name: np.zeros_like(value) for name, value in u.items()}
    return part.jvp(np.eye(n).reshape(n, *x.shape), still).reshape(n, n).T


def drawn(field, rng):
    return {name: rng.standard_normal(shape) for name, shape in field.controls.shapes.items()}


@pytest.mark.parametrize(
    ("dense", "convolution", "shape"),
    [
        (ParabolicDense, ParabolicConvolution, (4,)),
        (HyperbolicDense, HyperbolicConvolution, (2, 4)),
        (HamiltonianDense, HamiltonianConvolution, (2, 4)),
    ],
)
def test_a_matrix_is_a_convolution_on_one_cell(dense, convolution, shape, rng):
    """K (width, n) is the transpose of a stencil of one tap (1, n, width)."""
    field = dense(shape, width=3)
    *pair, n = shape
    twin = convolution((*pair, 1, n), width=3, stencil=1)
    u, x = drawn(field, rng), rng.standard_normal((5, *shape))
    v = {name: value.T[None] if name[0] == "K" else value for name, value in u.items()}
    y = twin(0.0, x.reshape(5, *pair, 1, n), v)
    assert_allclose(field(0.0, x, u), y.reshape(x.shape), rtol=1e-13)
    assert_allclose(field.bounds(u), twin.bounds(v), rtol=1e-13)


@pytest.mark.parametrize(
    "field",
    [
        HyperbolicDense((2, 4), width=3),
        HamiltonianDense((2, 4), width=3),
        SingleHamiltonianDense((2, 4)),
        StructuredLayer((5,), "antisymmetric"),
    ],
    ids=lambda field: type(field).__name__,
)
def test_imaginary_spectra(field, rng):
    """Roots of zero eigenvalues, which are double, carry the root of rounding."""
    for _ in range(5):
        u = drawn(field, rng)
        values = np.linalg.eigvals(jacobian(field, rng.standard_normal(field.state_shape), u))
        assert np.max(np.abs(values.real)) < 1e-7
        real, imaginary = field.spectrum(u)
        assert real == 0
        assert np.max(np.abs(values.imag)) <= imaginary * (1 + 1e-12)


def test_damping_moves_the_spectrum_to_the_left(rng):
    """At x = 0 and b = 0 the slope of tanh is one: f_x = A − γ 1."""
    field = StructuredLayer((5,), "antisymmetric", damping=0.3, bias=False)
    values = np.linalg.eigvals(jacobian(field, np.zeros(5), drawn(field, rng)))
    assert_allclose(values.real, -0.3, rtol=1e-12)
    assert field.spectrum is None


def test_a_field_of_sines_promises_nothing():
    field = SingleHamiltonianDense((2, 4))
    assert replace(field, activation="sin").spectrum is None


@pytest.mark.parametrize("cls", [HyperbolicDense, HamiltonianDense, SingleHamiltonianDense])
def test_pairs_are_asked_for(cls):
    with pytest.raises(InputError, match="split_channels"):
        cls((4,))


@pytest.mark.parametrize("cls", [ParabolicDense, SingleHamiltonianDense])
def test_vectors_are_asked_for(cls):
    with pytest.raises(InputError, match="flatten"):
        cls((2, 3, 3))
