"""Parametric matrices: their Q, their structure, and the derivative of mat(Qθ) by SymPy."""

import numpy as np
import pytest
import sympy
from numpy.testing import assert_allclose, assert_array_equal

from occore import InputError
from occore.symbolic.array import symbols
from occore_convolution.patterns.antisymmetric import Antisymmetric
from occore_convolution.patterns.circulant import Circulant
from occore_convolution.patterns.diagonal import Diagonal
from occore_convolution.patterns.full import Full
from occore_convolution.patterns.m_matrix import MMatrix
from occore_convolution.patterns.stencil import Stencil

PATTERNS = [Full(4), Diagonal(4), Antisymmetric(4), MMatrix(4), Circulant(4), Stencil(4)]
NAMES = [type(pattern).__name__ for pattern in PATTERNS]


def test_q_of_the_3_by_3_m_matrix():
    """Column k: +1 at its entry off the diagonal, −1 at the diagonal entry of that row."""
    # rows of Q: K11, K12, K13, K21, K22, K23, K31, K32, K33
    Q = [
        [-1, -1, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0],
        [0, 0, -1, -1, 0, 0],
        [0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, -1, -1],
    ]
    assert_array_equal(MMatrix(3).Q.toarray(), Q)
    K = MMatrix(3).matrix(np.ones(6))
    assert_allclose(np.sort(np.linalg.eigvals(K).real), [-3, -3, 0], atol=1e-14)


def test_structures(rng):
    by_name = {
        type(p).__name__: (p.matrix(theta), theta)
        for p in PATTERNS
        for theta in [rng.standard_normal(p.parameters)]
    }
    K, theta = by_name["Full"]
    assert_array_equal(K, theta.reshape(4, 4))
    K, theta = by_name["Diagonal"]
    assert_array_equal(K, np.diag(theta))
    K, theta = by_name["Antisymmetric"]
    assert_array_equal(K, -K.T)
    assert_array_equal(K[np.triu_indices(4, 1)], theta)
    K, theta = by_name["MMatrix"]
    assert_allclose(K.sum(axis=1), 0, atol=1e-15)
    assert_array_equal(K[~np.eye(4, dtype=bool)], theta)
    K, theta = by_name["Circulant"]
    x = rng.standard_normal(4)
    assert_allclose(K @ x, np.fft.ifft(np.fft.fft(theta) * np.fft.fft(x)).real, atol=1e-14)
    K, theta = by_name["Stencil"]
    assert_array_equal(K, sum(np.diag(np.full(4 - abs(k), theta[k + 1]), k) for k in (-1, 0, 1)))


@pytest.mark.parametrize("pattern", PATTERNS, ids=NAMES)
def test_the_derivative_of_mat_q_theta(pattern, rng):
    """∂vec(K)/∂θ by SymPy of the matrix as it is computed is Q; `transpose` is its transpose."""
    theta = symbols("theta", (pattern.parameters,))
    vec = sympy.Matrix(list(pattern.matrix(theta).entries.ravel()))
    jacobian = vec.jacobian(sympy.Matrix(list(theta.entries)))
    assert_array_equal(np.array(jacobian, float), pattern.Q.toarray())
    P, d = rng.standard_normal((4, 4)), rng.standard_normal(pattern.parameters)
    assert_allclose(np.sum(pattern.matrix(d) * P), d @ pattern.transpose(P), rtol=1e-13)


@pytest.mark.parametrize("pattern", PATTERNS, ids=NAMES)
def test_types_are_kept(pattern):
    for dtype in (np.float32, np.float64, np.complex128):
        assert pattern.matrix(np.ones(pattern.parameters, dtype)).dtype == dtype
        assert pattern.transpose(np.ones((4, 4), dtype)).dtype == dtype


@pytest.mark.parametrize("points", [2, 5])
def test_a_stencil_must_fit(points):
    with pytest.raises(InputError, match="odd number of points, at most as many as the 4 entries"):
        Stencil(4, points)
