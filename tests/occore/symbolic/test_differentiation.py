"""Derivatives of tapes against SymPy's own and against the complex step, and their sparsity."""

import numpy as np
import pytest
import sympy
from sympy.codegen.cfunctions import expm1, log1p

from occore.symbolic.array_kernel import ArrayKernel
from occore.symbolic.differentiation import KINDS
from occore.symbolic.kernels import generate
from occore.symbolic.lowering import lower

t = sympy.Symbol("t", real=True)
a, b = x = list(sympy.symbols("a b", real=True))
c, d = u = list(sympy.symbols("c d", real=True))

FUNCTIONS = [
    sympy.exp, expm1, sympy.log, log1p, sympy.sqrt, sympy.sin, sympy.cos, sympy.tan, sympy.asin,
    sympy.acos, sympy.atan, sympy.sinh, sympy.cosh, sympy.tanh, sympy.asinh, sympy.atanh,
    lambda z: sympy.acosh(1 + z), lambda z: 1 / z, lambda z: z**7, lambda z: z**-3,
    lambda z: z**sympy.Rational(5, 2), lambda z: z**sympy.Rational(-3, 2), lambda z: z**0.3,
    lambda z: z**70, lambda z: 2**z, lambda z: z**z, lambda z: -z / (1 + z) / (2 - z),
]  # fmt: skip

VECTOR = [
    c * sympy.sin(a * b) + t**2 * sympy.exp(-d * a),
    sympy.tanh(a - d) / (1 + b**2) - sympy.atan2(a, 2 + c) * t,
    sympy.Piecewise((sympy.sqrt(a) * d, a > b), (b**2 * c, True)),
]

SYMBOLS = [t, *x, *u]


def numeric(expressions, point):
    """Values from SymPy with 30 digits."""
    replacements = {s: sympy.Float(float(v), 30) for s, v in zip(SYMBOLS, point, strict=True)}
    values = [sympy.sympify(e).subs(replacements).evalf(30) for e in expressions]
    return np.array([float(value) for value in values])


@pytest.fixture
def point(rng):
    return rng.uniform(0.2, 0.8, 5)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: getattr(f, "__name__", "formula"))
def test_first_and_second_derivatives(function, point):
    kernels = generate(t, x, u, [function(a * c)])
    got = [kernels.value(0.0, point[1:3], point[3:])]
    got.append(kernels.jvp(0.0, point[1:3], point[3:], np.array([1.0, 0]), np.zeros(2)))
    curvature = (np.ones(1), np.array([1.0, 0]), np.zeros(2))
    got.append(kernels.curvature(0.0, point[1:3], point[3:], *curvature)[:1])
    expected = [function(a * c).diff(a, order) for order in range(3)]
    # conditioning of these functions and of their derivatives at 0.04 … 0.64: below 100
    np.testing.assert_allclose(np.ravel(got), numeric(expected, point), rtol=1e-13)


def products(tape_outputs, point, rng):
    """Every kernel of a function at a point, and what SymPy has for it."""
    kernels = generate(t, x, u, tape_outputs)
    at = (point[0], point[1:3], point[3:])
    dw, py = rng.standard_normal(4), rng.standard_normal(len(tape_outputs))
    J = sympy.Matrix(tape_outputs).jacobian(x + u)
    total = sum(float(p) * y for p, y in zip(py, tape_outputs, strict=True))
    H = numeric(list(sympy.hessian(total, x + u)), point).reshape(4, 4)
    J = numeric(list(J), point).reshape(len(py), 4)
    y_t = numeric([y.diff(t) for y in tape_outputs], point)
    jacobian, hessian = kernels.jacobian, kernels.hessian
    full, lower_half = np.zeros((len(py), 5)), np.zeros((4, 4))
    full[tuple(zip(*jacobian.tape.pattern, strict=True))] = jacobian(*at)[len(py) :]
    lower_half[tuple(zip(*hessian.tape.pattern, strict=True))] = hessian(*at, py)
    return {
        "value": (kernels.value(*at), numeric(tape_outputs, point)),
        "time_derivative": (kernels.time_derivative(*at), y_t),
        "jvp": (kernels.jvp(*at, dw[:2], dw[2:]), J @ dw),
        "vjp": (kernels.vjp(*at, py), py @ J),
        "curvature": (kernels.curvature(*at, py, dw[:2], dw[2:]), H @ dw),
        "jacobian": (full, np.column_stack([J, y_t])),
        "hessian": (lower_half, np.tril(H)),
    }


@pytest.mark.parametrize("order", [1, -1], ids=["a > b", "a < b"])
def test_all_products(order, point, rng):
    point[1:3] = np.sort(point[1:3])[::-order]
    for name, (got, expected) in products(VECTOR, point, rng).items():
        np.testing.assert_allclose(got, expected, rtol=1e-13, atol=1e-14, err_msg=name)


def test_a_scalar_of_many_inputs_in_reverse(point, rng):
    for name, (got, expected) in products([sum(VECTOR) ** 2], point, rng).items():
        np.testing.assert_allclose(got, expected, rtol=1e-13, atol=1e-13, err_msg=name)


def test_complex_step(point, rng):
    dx, du = rng.standard_normal((2, 2))
    kernels = generate(t, x, u, [VECTOR[0], VECTOR[2], sympy.Abs(a - b) * sympy.Max(c, d)])
    at = (point[0], point[1:3], point[3:])
    stepped = kernels.value(at[0], at[1] + 1e-30j * dx, at[2] + 1e-30j * du).imag / 1e-30
    np.testing.assert_allclose(kernels.jvp(*at, dx, du), stepped, rtol=1e-12)


def test_sparsity():
    chain = [b, c - a, a * b + d]
    kernels = generate(t, x, u, chain)
    assert kernels.jacobian.tape.pattern == ((0, 1), (1, 0), (1, 2), (2, 0), (2, 1), (2, 3))
    assert kernels.hessian.tape.pattern == ((1, 0),)
    assert kernels.time_derivative.tape.operations == ()
    # of six non-zeros, only −1, a and b are not constants or inputs: the program has y and no more
    assert len(kernels.jacobian.tape.operations) == 3


def test_what_is_shared_is_computed_once():
    tape = lower([a, b], [sympy.sin(a * b) + 1, sympy.sin(a * b) * 2, sympy.cos(a * b)])
    names = [operation[0] for operation in tape.operations]
    assert names.count("sin") == 1
    assert names.count("mul") == 2  # a b and 2 sin


@pytest.mark.parametrize("kind", ["vjp", "jvp", "jacobian"])
def test_a_branch_that_is_not_taken_spoils_nothing(kind):
    root = sympy.Piecewise((sympy.sqrt(a) * b + sympy.log(a), a > 0), (b, True))
    tape = KINDS[kind](lower([[a, b]], [root]), (0,))
    extra = {"vjp": [np.ones(1)], "jvp": [np.array([1.0, 0.0])], "jacobian": []}[kind]
    result = ArrayKernel(tape)(np.array([-1.0, 3.0]), *extra)
    expected = {"vjp": [0, 1], "jvp": [0], "jacobian": [3, 0, 1]}[kind]
    np.testing.assert_array_equal(result, expected)


def test_shared_by_a_branch_and_outside():
    root = sympy.sqrt(a)
    outputs = [sympy.Piecewise((root * b, a > b), (b, True)) + root**3]
    tape = KINDS["vjp"](lower([[a, b]], outputs), (0,))
    for first, second in ((0.5, 0.25), (0.25, 0.5)):
        point = {a: first, b: second}
        expected = [float(outputs[0].diff(s).subs(point)) for s in (a, b)]
        result = ArrayKernel(tape)(np.array([first, second]), np.ones(1))
        np.testing.assert_allclose(result, expected, rtol=1e-14)
