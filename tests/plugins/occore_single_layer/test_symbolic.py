"""m = 2 nodes, n_f = 2 features, n = 2 samples: what SymPy derives from the layers' own lines.

E = ½‖W tanh(K Y + b) − C‖²,    θ = (K, b, W): gradient, Gauss–Newton matrix and Hessian
"""

import numpy as np
import pytest
import sympy
from numpy.testing import assert_allclose

from occore import Data, Phase, Problem
from occore.symbolic.array import SymbolicArray
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.linear import Linear
from occore_single_layer.dense import Dense

Y = np.array([[0.5, -1.25], [0.75, 0.25]])
C = np.array([[1.0, -0.5], [0.25, 2.0]])
PROBLEM = Problem(
    (Phase("hidden", Dense((2,), 2)), Phase("fit", Linear((2,), 2, bias=False))),
    LeastSquares(),
    Data(Y, C),
)
THETA = np.array(sympy.symbols(f"theta:{PROBLEM.size}"))


def chain():
    """Z, the hidden output, S = W Z, and E of symbols, by the classes' own calls."""
    u = {
        phase: {name: SymbolicArray(value) for name, value in named.items()}
        for phase, named in PROBLEM.unflatten(THETA).items()
    }
    hidden, fit = (phase.dynamics for phase in PROBLEM.phases)
    Z = hidden(0.0, SymbolicArray(np.array(Y, object)), u["hidden"])
    S = fit(0.0, Z, u["fit"])
    return (
        Z.entries,
        S.entries,
        LeastSquares()(S, SymbolicArray(np.array(C, object))).entries.item(),
    )


def at(expression, theta):
    """Numbers of a matrix of expressions."""
    return np.array(sympy.lambdify([THETA], expression)(theta), float)


@pytest.fixture
def theta(rng):
    return rng.standard_normal(PROBLEM.size)


@pytest.fixture(scope="module")
def traced():
    return chain()


def test_the_gradient(traced, theta):
    E, unknowns = traced[2], list(THETA)
    gradient = at([E.diff(unknown) for unknown in unknowns], theta)
    value, found = PROBLEM.value_and_gradient(theta)
    assert_allclose(value, at(E, theta), rtol=1e-14)
    assert_allclose(found, gradient, rtol=1e-12)


def test_the_hessian(traced, theta):
    H = at(sympy.hessian(traced[2], list(THETA)), theta)
    columns = [PROBLEM.hessian_product(theta, e) for e in np.eye(PROBLEM.size)]
    assert_allclose(columns, H, rtol=1e-12, atol=1e-13)


def test_the_gauss_newton_matrix(traced, theta):
    """JᵀJ, which lacks the second derivatives of the layer."""
    S, E = traced[1:]
    J = at(sympy.Matrix(S.ravel()).jacobian(list(THETA)), theta)
    columns = [PROBLEM.gauss_newton_product(theta, e) for e in np.eye(PROBLEM.size)]
    assert_allclose(columns, J.T @ J, rtol=1e-12, atol=1e-13)
    H = at(sympy.hessian(E, list(THETA)), theta)
    assert np.linalg.norm(H - J.T @ J) > 0.1 * np.linalg.norm(H)


def test_the_gradient_in_w_takes_the_hidden_output_and_not_the_features(traced, theta):
    """∇_W E = ∇_S E · Zᵀ; the slide has Y in place of Z, which fits in shape where m = n_f."""
    Z, S, E = traced
    W = PROBLEM.unflatten(THETA)["fit"]["W"]
    gradient = at([[E.diff(w) for w in row] for row in W], theta)
    found = PROBLEM.unflatten(PROBLEM.value_and_gradient(theta)[1])["fit"]["W"]
    residual = at(S.tolist(), theta) - C
    assert_allclose(found, gradient, rtol=1e-12)
    assert_allclose(found, residual.T @ at(Z.tolist(), theta), rtol=1e-12)
    assert np.linalg.norm(found - residual.T @ Y) > 0.1 * np.linalg.norm(found)
