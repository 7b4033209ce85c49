"""Stability functions of the implemented steps, and the thresholds on the imaginary axis."""

import numpy as np
import pytest

from occore_continuous.discretizations.linear_equations import LinearEquation

OMEGAS = (0.3, 1.0, 1.7, 2.9)
ROTATION = np.array([[0.0, -1.0], [1.0, 0.0]])
"""x₁ + i x₂ turns by e^(iωt)."""


def equation(explicit, implicit):
    return LinearEquation(tuple(map(tuple, explicit)), tuple(map(tuple, implicit)))


def stability(tableau, *z):
    """R = 1 + bᵀ Z (1 − A Z)⁻¹ 1 with z of the field of each stage on the diagonal of Z."""
    n = tableau.active
    b, A = np.array(tableau.b, float)[:n], np.array(tableau.a, float)[:n, :n]
    Z = np.diag([z[tableau.field(i)] for i in range(n)])
    return 1 + b @ Z @ np.linalg.solve(np.eye(n) - A @ Z, np.ones(n))


def factor(method, explicit, implicit=0.0 * ROTATION):
    """What one step multiplies 1 by, as a complex number."""
    y = method.step(equation(explicit, implicit), 0.0, 1.0, np.array([[1.0, 0.0]]), {})
    return complex(*y[0])


def matrix(method, omega):
    """The matrix of a step of x' = ω (rotation) x."""
    field = equation(omega * ROTATION, 0 * ROTATION)
    return method.step(field, 0.0, 1.0, np.eye(2), {}).T


@pytest.mark.parametrize("omega", OMEGAS)
def test_rotation(tableau_entry, omega):
    method = tableau_entry.cls()
    if method.tableau.fields:
        R = stability(method.tableau, 1j * omega, -2.0)
        step = factor(method, omega * ROTATION, -2 * np.eye(2))
    else:
        R = stability(method.tableau, 1j * omega)
        step = factor(method, omega * ROTATION)
    assert abs(step - R) <= 1e-12


SQUARES = {
    "forward_euler": lambda w: 1 + w**2,
    "midpoint": lambda w: 1 + w**4 / 4,
    "heun": lambda w: 1 + w**4 / 4,
    "bosh3": lambda w: 1 - w**4 / 12 + w**6 / 36,
    "rk4": lambda w: 1 - w**6 / 72 + w**8 / 576,
    "rk38": lambda w: 1 - w**6 / 72 + w**8 / 576,
    "trapezoid": lambda w: 1 + 0 * w,
    "implicit_midpoint": lambda w: 1 + 0 * w,
    "gauss4": lambda w: 1 + 0 * w,
}
THRESHOLDS = {"bosh3": 3**0.5, "rk4": 8**0.5, "rk38": 8**0.5}


@pytest.mark.parametrize("name", SQUARES)
def test_amplification_on_the_imaginary_axis(host, name):
    method = host.registry["discretization", name].cls()
    for omega in OMEGAS:
        amplification = abs(factor(method, omega * ROTATION)) ** 2
        assert amplification == pytest.approx(SQUARES[name](omega), rel=1e-12)


@pytest.mark.parametrize("name", ["forward_euler", "midpoint", "heun"])
def test_methods_of_low_order_amplify_every_oscillation(host, name):
    """The course's slide offers 'a second-order Runge–Kutta method' for antisymmetric layers."""
    method = host.registry["discretization", name].cls()
    assert all(abs(factor(method, omega * ROTATION)) > 1 for omega in (0.01, 0.1, 1.0))


@pytest.mark.parametrize("name", THRESHOLDS)
def test_thresholds_of_explicit_methods(host, name):
    method, limit = host.registry["discretization", name].cls(), THRESHOLDS[name]
    assert abs(factor(method, 0.9999 * limit * ROTATION)) < 1
    assert abs(factor(method, 1.0001 * limit * ROTATION)) > 1


@pytest.mark.parametrize("name", ["leapfrog", "verlet"])
def test_symplectic_methods_are_stable_up_to_two(host, name):
    """det = 1 and trace 2 − ω²: the eigenvalues are of modulus 1 exactly for ω ≤ 2."""
    method = host.registry["discretization", name].cls()
    for omega in (0.5, 1.0, 1.999, 2.001):
        A = matrix(method, omega)
        assert np.linalg.det(A) == pytest.approx(1, rel=1e-12)
        assert np.trace(A) == pytest.approx(2 - omega**2, rel=1e-12)
        radius = np.max(np.abs(np.linalg.eigvals(A)))
        assert (radius <= 1 + 1e-9) == (omega <= 2)


def test_rosenbrock_has_the_stability_function_of_sdirk2(host):
    method = host.registry["discretization", "rosenbrock"].cls()
    g = 1 - 2**-0.5
    for z in (0.7j, -0.4 + 2j, -1e6):
        A = np.real(z) * np.eye(2) + np.imag(z) * ROTATION
        R = (1 + (1 - 2 * g) * z) / (1 - g * z) ** 2
        assert abs(factor(method, A) - R) <= 1e-12


@pytest.mark.parametrize("name", ["backward_euler", "sdirk2", "sdirk3", "rosenbrock"])
def test_l_stable_methods_damp_what_is_stiff(host, name):
    method = host.registry["discretization", name].cls()
    assert abs(factor(method, -1e8 * np.eye(2))) < 1e-7
    for omega in (0.1, 1.0, 10.0, 1000.0):
        assert abs(factor(method, omega * ROTATION)) < 1


@pytest.mark.parametrize("name", ["imex_euler", "ars222"])
def test_imex_methods_damp_what_is_stiff_in_the_implicit_part(host, name):
    method = host.registry["discretization", name].cls()
    assert abs(factor(method, 0.5 * ROTATION, -1e8 * np.eye(2))) < 1e-7


def test_etdrk4_is_exact_for_the_linear_part(host):
    method = host.registry["discretization", "etdrk4"].cls()
    for z in (0.7j, 30j, -2 + 1j, -50.0):
        A = np.real(z) * np.eye(2) + np.imag(z) * ROTATION
        assert abs(factor(method, 0 * ROTATION, A) - np.exp(z)) <= 1e-12
