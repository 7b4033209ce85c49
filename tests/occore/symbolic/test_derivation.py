"""Traced maps against derivatives of the whole expressions by SymPy alone, or by hand."""

from dataclasses import dataclass

import numpy as np
import pytest
import sympy

from occore import Dynamics, Layout, array_namespace
from occore.symbolic.derivation import trace, traced, traced_controls, traced_terminal


@dataclass(frozen=True)
class Dense(Dynamics):
    """W tanh(K x + b) + |t x|, in functions that have kinks too."""

    controls = Layout({"K": (3, 2), "b": (3,), "W": (2, 3)})

    def __call__(self, t, x, u):
        xp = array_namespace(x)
        return xp.tanh(x @ u["K"].T + u["b"]) @ u["W"].T + t * xp.maximum(xp.abs(x), 0.5)

    def linearize(self, t, x, u):
        raise NotImplementedError


def check(traced_map, x, u, py, dx, du):
    """All products against the Jacobian and the Hessian of the expanded expressions."""
    w, y = sympy.Matrix(traced_map.inputs), sympy.Matrix(traced_map.outputs)
    weighted = sum(float(p) * v for p, v in zip(np.ravel(py), y, strict=True))
    flat = np.concatenate([np.ravel(x), *(np.ravel(u[name]) for name in traced_map.controls)])
    d = np.concatenate([np.ravel(dx), *(np.ravel(du[name]) for name in traced_map.controls)])
    derivatives = [y, y.jacobian(w), sympy.hessian(weighted, w)]
    value, J, H = sympy.lambdify([list(w)], derivatives, "numpy")(flat)

    def split(p):
        n = np.size(x)
        return p[:n].reshape(np.shape(x)), traced_map.controls.unflatten(p[n:])

    def assert_same(got, expected):
        np.testing.assert_allclose(got[0], expected[0], rtol=1e-12, atol=1e-14)
        for name in traced_map.controls:
            np.testing.assert_allclose(got[1][name], expected[1][name], rtol=1e-12, atol=1e-14)
            assert got[1][name].shape == traced_map.controls.shapes[name]

    np.testing.assert_allclose(np.ravel(traced_map.value(x, u)), value[:, 0], rtol=1e-13)
    jvp = traced_map.jvp(x, u, dx, du)
    assert jvp.shape == traced_map.y_shape
    np.testing.assert_allclose(np.ravel(jvp), J @ d, rtol=1e-12)
    assert_same(traced_map.vjp(x, u, py), split(np.ravel(py) @ J))
    assert_same(traced_map.curvature(x, u, py, dx, du), split(H @ d))


def test_dynamics(rng):
    f = Dense()
    x, dx, py = rng.standard_normal((3, 2, 2))
    u, du = f.controls.random(rng), f.controls.random(rng)
    traced_map = traced(f, 0.7, (2,))
    check(traced_map, x, u, py, dx, du)
    np.testing.assert_allclose(traced_map.value(x, u), f(0.7, x, u), rtol=1e-13)


def test_terminal_objective(rng):
    def cross_entropy(x, target):
        xp = array_namespace(x)
        m = xp.max(x, axis=1, keepdims=True)
        normalised = x - m - xp.log(xp.sum(xp.exp(x - m), axis=1, keepdims=True))
        return -xp.sum(normalised * target)

    x, dx = 3 * rng.standard_normal((2, 2, 3))
    target = np.eye(3)[[2, 0]]
    traced_map = traced_terminal(cross_entropy, target, (2, 3))
    # SymPy alone takes minutes here; by hand, the Hessian is diag(s) − s sᵀ with the softmax s
    s = np.exp(x) / np.sum(np.exp(x), axis=1, keepdims=True)
    product = s * dx - s * np.sum(s * dx, axis=1, keepdims=True)
    assert traced_map.value(x, {}) == pytest.approx(-np.sum(np.log(s) * target), rel=1e-13)
    np.testing.assert_allclose(traced_map.vjp(x, {}, 1.0)[0], s - target, rtol=1e-12)
    curvature = traced_map.curvature(x, {}, 1.0, dx, {})[0]
    np.testing.assert_allclose(curvature, product, rtol=1e-12, atol=1e-15)


def test_control_objective(rng):
    def penalty(controls):
        xp = array_namespace(controls["one"]["K"])
        return xp.sum(controls["one"]["K"] ** 2) * xp.exp(controls["two"]["b"][0])

    layouts = {"one": Layout({"K": (2, 2)}), "two": Layout({"b": (1,), "c": ()})}
    traced_map = traced_controls(penalty, layouts)
    whole = traced_map.controls
    x = np.zeros(0)
    check(traced_map, x, whole.random(rng), 1.0, x, whole.random(rng))


@pytest.mark.parametrize("function", [
    lambda xp, x, u: xp.linalg.vector_norm(x, axis=1),  # one entry: sqrt(x²) is Abs to SymPy
    lambda xp, x, u: xp.sign(x) * u["a"] + xp.clip(x, -0.1, 0.1) + 0.1 * x,
    lambda xp, x, u: xp.where(x > 0, xp.sqrt(xp.abs(x)), u["a"] * x) + 1e300 * (1e-300 * x),
    lambda xp, x, u: xp.prod(x) + xp.zeros_like(x),
])  # fmt: skip
def test_kinks(function, rng):
    traced_map = trace(lambda x, u: function(array_namespace(x), x, u), (2, 1), Layout({"a": ()}))
    x, u = np.array([[0.3], [-0.6]]), {"a": np.array(0.4)}
    du, dx, py = {"a": np.array(1.0)}, np.array([[0.5], [-2.0]]), rng.random(traced_map.y_shape)
    h = 1e-5
    plus, minus = (traced_map.vjp(x + s * dx, {"a": u["a"] + s}, py) for s in (h, -h))
    p = traced_map.curvature(x, u, py, dx, du)
    difference = [(plus[0] - minus[0]) / (2 * h), (plus[1]["a"] - minus[1]["a"]) / (2 * h)]
    # truncation h² and rounding ε / h of a central difference are both near 1e-10
    np.testing.assert_allclose(p[0], difference[0], rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(p[1]["a"], difference[1], rtol=1e-7, atol=1e-8)
    stepped = (traced_map.value(x + h * dx, {"a": u["a"] + h}) - traced_map.value(
        x - h * dx, {"a": u["a"] - h})) / (2 * h)  # fmt: skip
    np.testing.assert_allclose(traced_map.jvp(x, u, dx, du), stepped, rtol=1e-7, atol=1e-8)
