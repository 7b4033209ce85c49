"""Schemes on antisymmetric kernels: |R(iω)|² by SymPy from the tableau, and the implemented step.

The slides of the course call a second-order Runge–Kutta method a way out; Heun is unstable there.
"""

import numpy as np
import pytest
import sympy
from numpy.testing import assert_allclose

from occore.stability import reach
from occore_continuous.discretizations.bosh3 import Bosh3
from occore_continuous.discretizations.forward_euler import ForwardEuler
from occore_continuous.discretizations.heun import Heun
from occore_continuous.discretizations.leapfrog import Leapfrog
from occore_continuous.discretizations.linear_equations import oscillator
from occore_continuous.discretizations.rk4 import RK4
from occore_continuous.discretizations.verlet import Verlet
from occore_convolution.structured_layer import StructuredLayer
from occore_residual.stability_observer import growth

W = sympy.Symbol("w", real=True)
SCHEMES = {
    ForwardEuler: (1 + W**2, 0),
    Heun: (1 + W**4 / 4, 0),
    Bosh3: (1 - W**4 / 12 + W**6 / 36, sympy.sqrt(3)),
    RK4: (1 - W**6 / 72 + W**8 / 576, 2 * sympy.sqrt(2)),
}
FREQUENCIES = [0.1, 0.7, 1.0, 1.5, 1.9, 2.5, 3.1]


def exact(number):
    """A float of a tableau as the fraction that it stands for."""
    return sympy.nsimplify(number, rational=True, tolerance=1e-14)


def stability_function(method, z):
    A = sympy.Matrix(np.asarray(method.tableau.matrix, float)).applyfunc(exact)
    b = sympy.Matrix(np.asarray(method.tableau.b, float)).applyfunc(exact)
    ones = sympy.ones(len(b), 1)
    stages = (sympy.eye(len(b)) - z * A).LUsolve(ones)
    return 1 + z * (b.T * stages)[0]


@pytest.mark.parametrize("cls", SCHEMES, ids=lambda cls: cls.__name__)
def test_the_tableau_gives_the_formula_and_the_threshold(cls):
    square, threshold = SCHEMES[cls]
    R = sympy.expand(sympy.simplify(stability_function(cls(), sympy.I * W)))
    assert sympy.expand(R * sympy.conjugate(R) - square) == 0
    assert reach(cls())[1] == pytest.approx(float(threshold), abs=1e-12)
    excess = square - 1
    if threshold == 0:
        assert all(excess.subs(W, w) > 0 for w in (sympy.Rational(1, 100), 1, 3))
    else:
        assert sympy.simplify(excess.subs(W, threshold)) == 0
        assert excess.subs(W, threshold - sympy.Rational(1, 100)) < 0
        assert excess.subs(W, threshold + sympy.Rational(1, 100)) > 0


def rotated(method, w, x):
    """One step of length one of dx/dt = [[0, w], [−w, 0]] x, as an antisymmetric layer."""
    field = StructuredLayer((2,), "antisymmetric", activation="identity", bias=False)
    stages = np.full((len(method.abscissae), 1), w)
    return method.step(field, 0.0, 1.0, x, {"theta": stages})


@pytest.mark.parametrize("w", FREQUENCIES)
@pytest.mark.parametrize("cls", SCHEMES, ids=lambda cls: cls.__name__)
def test_the_step_amplifies_a_rotation_as_the_formula_says(cls, w):
    x = np.array([[0.6, -0.8]])
    expected = float(sympy.sqrt(SCHEMES[cls][0].subs(W, w)))
    assert_allclose(np.linalg.norm(rotated(cls(), w, x)), expected, rtol=1e-12)
    assert_allclose(growth(cls(), np.array([1j * w])), expected, rtol=1e-12)


@pytest.mark.parametrize("cls", [Leapfrog, Verlet])
def test_symplectic_steps_turn_up_to_two(cls):
    """Matrix of a step with determinant one; eigenvalues on the unit circle for ω ≤ 2 only."""
    for w in FREQUENCIES:
        step = np.transpose(rotated(cls(), w, np.eye(2)))
        assert_allclose(np.linalg.det(step), 1, rtol=1e-12)
        assert_allclose(np.trace(step), 2 - w**2, atol=1e-12)
        largest = np.max(np.abs(np.linalg.eigvals(step)))
        assert_allclose(growth(cls(), np.array([1j * w])), largest, rtol=1e-12)
        assert (largest < 1 + 1e-12) == (w <= 2)
    assert reach(cls())[1] == 2


def test_the_oscillator_of_the_conformance_suite_is_the_same_rotation():
    x = np.array([[0.6, -0.8]])
    assert_allclose(rotated(RK4(), 1.0, x), RK4().step(oscillator(), 0.0, 1.0, x, {}), rtol=1e-14)
