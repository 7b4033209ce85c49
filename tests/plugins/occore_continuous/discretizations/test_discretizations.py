"""Every registered discretization: its example, its derivatives, its types, its way back."""

import numpy as np
import pytest

from occore.checks import Differentiable, check_map, raise_on_failure

T, H = 0.3, 0.2


def test_example(entry):
    example = entry.example()
    u = {name: np.asarray(value, float) for name, value in example.u.items()}
    x = np.asarray(example.x, float)
    y = example.map.step(example.dynamics, example.t, example.h, x, u)
    np.testing.assert_allclose(y, example.value, rtol=example.rtol)


def target(method, field, x, u):
    return Differentiable(
        type(method).__name__,
        lambda x, u: method.step(field, T, H, x, u),
        lambda x, u: method.linearize_step(field, T, H, x, u),
        x,
        u,
    )


def test_transpose_and_taylor(entry, make_field, point, rng):
    method = entry.cls()
    rows = check_map(target(method, make_field(), *point(method.abscissae)), rng)
    raise_on_failure(rows)
    assert all(row.verdict != "none" for row in rows)  # second derivatives are there


def test_second_order_adjoint_is_symmetric(entry, make_field, point, rng):
    method = entry.cls()
    x, u = point(method.abscissae)
    _, part = method.linearize_step(make_field(), T, H, x, u)
    py = rng.standard_normal(x.shape)
    (dx, du), (ex, eu) = point(method.abscissae), point(method.abscissae)
    products = []
    for (ax, au), (bx, bu) in (((dx, du), (ex, eu)), ((ex, eu), (dx, du))):
        hx, hu = part.curvature(py, ax, au)
        products.append(np.sum(hx * bx) + sum(np.sum(hu[name] * bu[name]) for name in hu))
    size = np.linalg.norm(py) * np.linalg.norm(dx) * np.linalg.norm(ex)
    assert abs(products[0] - products[1]) <= 1e-12 * size


def test_products_by_complex_step(entry, make_field, point, rng):
    """jvp and curvature against Im y(x + i ε d) / ε, where the arithmetic of the step allows it."""
    method, field, e = entry.cls(), make_field(), 1e-30
    x, u = point(method.abscissae)
    dx, du = point(method.abscissae)
    moved = x + 1j * e * dx, {name: u[name] + 1j * e * du[name] for name in u}
    _, part = method.linearize_step(field, T, H, x, u)
    dy = part.jvp(dx, du)
    np.testing.assert_allclose(dy, method.step(field, T, H, *moved).imag / e, rtol=1e-12)
    py = rng.standard_normal(x.shape)
    px, pu = method.linearize_step(field, T, H, *moved)[1].vjp(py)
    hx, hu = part.curvature(py, dx, du)
    np.testing.assert_allclose(hx, px.imag / e, rtol=1e-11, atol=1e-13)
    for name in hu:
        np.testing.assert_allclose(hu[name], pu[name].imag / e, rtol=1e-11, atol=1e-13)


def test_linearize_step_gives_the_same_bits_as_step(entry, make_field, point):
    method, field = entry.cls(), make_field()
    for dtype in (np.float32, np.float64):
        x, u = point(method.abscissae, dtype)
        y = method.step(field.astype(dtype), T, H, x, u)
        z, part = method.linearize_step(field.astype(dtype), T, H, x, u)
        assert y.tobytes() == z.tobytes()
        assert y.dtype == dtype
        px, pu = part.vjp(y)
        hx, hu = part.curvature(y, x, u)
        results = (part.jvp(x, u), px, hx, *pu.values(), *hu.values())
        assert {a.dtype for a in results} == {np.dtype(dtype)}
        assert all(pu[name].shape == hu[name].shape == u[name].shape for name in u)
        if method.step_with_error is not None:
            w, error = method.step_with_error(field.astype(dtype), T, H, x, u)
            assert y.tobytes() == w.tobytes()
            assert error.dtype == dtype
        if method.dense_output is not None:
            s = np.array([0.0, 0.3, 1.0])
            inside = method.dense_output(field.astype(dtype), T, H, x, u, s)
            assert inside.dtype == dtype and inside.shape == (3, *x.shape)
            tolerance = 30 * np.finfo(dtype).eps
            np.testing.assert_allclose(inside[0], x, rtol=tolerance)
            np.testing.assert_allclose(inside[-1], y, rtol=tolerance, atol=tolerance)


def test_retreat_undoes_the_step_to_rounding(entry, make_field, point):
    method, field = entry.cls(), make_field()
    if method.retreat is None:
        pytest.skip("the step is not reversible")
    x, u = point(method.abscissae)
    back = method.retreat(field, T, H, method.step(field, T, H, x, u), u)
    np.testing.assert_allclose(back, x, rtol=1e-14, atol=1e-14)


def test_abscissae_increase_within_the_step(entry):
    c = entry.cls().abscissae
    assert list(c) == sorted(set(c)) and c[0] >= 0 and c[-1] <= 1
