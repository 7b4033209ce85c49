"""Implicit methods: every way of solving, convergence, failure, and stiff problems."""

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
import sympy

from occore import ComputationError, Dynamics, Layout, Products, StructureError
from occore_continuous.discretizations.linear_equations import LinearEquation
from occore_continuous.discretizations.phi_functions import phi_functions
from occore_continuous.discretizations.stage_systems import Point, StageSystem

T, H = 0.3, 0.2


def products(method, field, point):
    """All that a step can give, flat."""
    x, u = point(method.abscissae)
    (dx, du), (py, _) = point(method.abscissae), point(method.abscissae)
    y, part = method.linearize_step(field, T, H, x, u)
    (px, pu), (hx, hu) = part.vjp(py), part.curvature(py, dx, du)
    arrays = [y, part.jvp(dx, du), px, hx, *pu.values(), *hu.values()]
    return np.concatenate([a.ravel() for a in arrays])


@pytest.mark.parametrize("kind", ["dense", "sparse", None])
@pytest.mark.parametrize("solver", ["auto", "dense", "sparse", "matrix_free"])
def test_solvers_agree(implicit_entry, make_kind, fresh_point, solver, kind):
    method = implicit_entry.cls
    expected = products(method(solver="dense"), make_kind("dense"), fresh_point())
    found = products(method(solver=solver), make_kind(kind), fresh_point())
    assert np.linalg.norm(found - expected) <= 1e-12 * np.linalg.norm(expected)


@pytest.mark.parametrize("kind", ["dense", "sparse", None])
@pytest.mark.parametrize("solver", ["auto", "dense", "sparse", "matrix_free"])
@pytest.mark.parametrize("along", ["x", "u"])
def test_complex_steps_with_every_solver(
    implicit_entry, make_kind, fresh_point, rng, solver, kind, along
):
    """jvp and curvature against Im y(x + i ε d)/ε, Im vjp(…)/ε with a real py.

    Systems have complex matrices then, and real or complex right-hand sides.
    """
    method, field, e = implicit_entry.cls(solver=solver), make_kind(kind), 1e-30
    at = fresh_point()
    (x, u), (dx, du) = at(method.abscissae), at(method.abscissae)
    dx, du = (0 * dx if along == "u" else dx), {n: (along != "x") * d for n, d in du.items()}
    moved_x = x if along == "u" else x + 1j * e * dx
    moved_u = u if along == "x" else {name: u[name] + 1j * e * du[name] for name in u}
    _, part = method.linearize_step(field, T, H, x, u)
    dy, py = part.jvp(dx, du), rng.standard_normal(x.shape)
    y, moved = method.linearize_step(field, T, H, moved_x, moved_u)
    np.testing.assert_allclose(y.imag / e, dy, rtol=1e-12, atol=1e-14)
    (px, pu), (hx, hu) = moved.vjp(py), part.curvature(py, dx, du)
    np.testing.assert_allclose(px.imag / e, hx, rtol=1e-11, atol=1e-13)
    for name in hu:
        np.testing.assert_allclose(pu[name].imag / e, hu[name], rtol=1e-11, atol=1e-13)


def test_float32_with_every_solver(implicit_entry, make_kind, point):
    for solver in ("dense", "sparse", "matrix_free"):
        method = implicit_entry.cls(solver=solver)
        x, u = point(method.abscissae, np.float32)
        field = make_kind("dense").astype(np.float32)
        y, part = method.linearize_step(field, T, H, x, u)
        assert y.dtype == part.jvp(x, u).dtype == part.vjp(y)[0].dtype == np.float32


class Square(Dynamics):
    """f = u − x²: steps have closed forms."""

    controls = Layout({"u": ()})

    def __call__(self, t, x, u):
        return u["u"] - x**2

    def linearize(self, t, x, u):
        return u["u"] - x**2, Products(
            lambda dx, du: du["u"] - 2 * x * dx,
            lambda p: (-2 * x * p, {"u": np.sum(p)}),
            lambda p, dx, du: (-2 * dx * p, {"u": np.zeros(())}),
        )


@pytest.mark.parametrize("name", ["backward_euler", "trapezoid", "implicit_midpoint"])
def test_derivatives_of_the_closed_form(host, name):
    x, u, v, h = sympy.symbols("x u v h", positive=True)  # u at the start, v at the end
    y = sympy.symbols("y")
    equation = {
        "backward_euler": y - x - h * (v - y**2),
        "trapezoid": y - x - h / 2 * (u - x**2 + v - y**2),
        "implicit_midpoint": y - x - h * (v - ((x + y) / 2) ** 2),
    }[name]
    values = {x: 0.7, u: 0.4, v: 0.9, h: 0.5}
    solution = max(sympy.solve(equation, y), key=lambda s: s.subs(values))
    method = host.registry["discretization", name].cls()
    controls = [u, v] if len(method.abscissae) == 2 else [v]
    unknowns = [x, *controls]
    gradient = [float(sympy.diff(solution, w).subs(values)) for w in unknowns]
    hessian = np.array(sympy.hessian(solution, unknowns).subs(values), float)
    control = {"u": np.array([values[c] for c in controls])}
    end, part = method.linearize_step(Square(), 0.0, 0.5, np.array([[0.7]]), control)
    assert end[0, 0] == pytest.approx(float(solution.subs(values)), rel=1e-14)
    one = np.ones((1, 1))
    px, pu = part.vjp(one)
    np.testing.assert_allclose([px[0, 0], *pu["u"]], gradient, rtol=1e-13)
    zero = np.zeros(len(controls))
    for row, (dx, du) in zip(
        hessian, [(one, zero), *((0 * one, e) for e in np.eye(len(controls)))], strict=True
    ):
        hx, hu = part.curvature(one, dx, {"u": du})
        np.testing.assert_allclose([hx[0, 0], *hu["u"]], row, rtol=1e-12, atol=1e-14)


def test_newton_that_does_not_converge_says_where(host):
    """y = x + h (−10 − y²) has no real solution for h = 1 and x = 1, but for x = 20."""
    method = host.registry["discretization", "backward_euler"].cls()
    x, u = np.array([[20.0], [1.0], [20.0]]), {"u": np.array([-10.0])}
    words = r"t = 3, h = 1: after \d+ iterations .* sample 1 is .* beside a state of 1. .* shorter"
    with pytest.raises(ComputationError, match=words):
        method.step(Square(), 2.0, 1.0, x, u)
    assert method.step(Square(), 2.0, 1.0, x[::2], u).shape == (2, 1)


@pytest.mark.parametrize("solver", ["dense", "sparse", "matrix_free"])
def test_a_state_that_is_no_number_is_no_endless_iteration(host, solver):
    method = host.registry["discretization", "trapezoid"].cls(solver=solver)
    with pytest.raises(ComputationError, match=r"at t = 1, h = 1"):
        method.step(Square(), 0.0, 1.0, np.array([[np.nan]]), {"u": np.zeros(2)})


def test_a_singular_matrix_says_where(host):
    """x' = x with h = 1: y = x + y."""
    method = host.registry["discretization", "backward_euler"].cls()
    for solver in ("dense", "sparse"):
        with pytest.raises(ComputationError, match=r"singular at t = 1, h = 1"):
            field = LinearEquation(((1.0,),), ((0.0,),))
            type(method)(solver=solver).step(field, 0.0, 1.0, np.ones((1, 1)), {})


def test_gmres_that_does_not_converge_says_where(host):
    """x' = x with h = 1: M = 0."""
    method = host.registry["discretization", "backward_euler"].cls(solver="matrix_free")
    with pytest.raises(ComputationError, match=r"GMRES .* did not converge at t = 1, h = 1"):
        method.step(LinearEquation(((1.0,),), ((0.0,),)), 0.0, 1.0, np.ones((1, 1)), {})


def test_gmres_that_stagnates_ends(host):
    """M = 1 − h f_x is a cyclic shift of 400 entries: GMRES needs 400 vectors, and has 60."""
    method, n, calls = host.registry["discretization", "backward_euler"], 400, []

    class Shift(Dynamics):
        controls = Layout({})

        def __call__(self, t, x, u):
            return x - np.roll(x, 1, axis=1) + 1e-3

        def linearize(self, t, x, u):
            def jvp(dx, du):
                calls.append(1)
                return dx - np.roll(dx, 1, axis=1)

            return self(t, x, u), Products(jvp, lambda p: (p - np.roll(p, -1, axis=1), {}))

    with pytest.raises(ComputationError, match="GMRES for an implicit stage did not converge at"):
        method.cls(solver="matrix_free").step(Shift(), 0.0, 1.0, np.eye(1, n), {})
    assert len(calls) < 5000


@pytest.mark.parametrize("solver", ["dense", "sparse", "matrix_free"])
@pytest.mark.parametrize("kinds", ["dd", "dD", "Dd", "DD", "ff", "fF", "FF"])
def test_systems_of_coupled_stages(rng, solver, kinds):
    """M and right-hand sides real or complex: both solves against the matrix written out."""
    matrix, right = (np.dtype(kind) for kind in kinds)
    a, h, samples, n = ((0.25, -0.04), (0.54, 0.25)), 0.3, 3, 4
    J = numbers(rng, (2, samples, n, n), matrix)
    points = [Point(0.0, np.zeros((samples, n), matrix), {}, matrix_products(Ji)) for Ji in J]
    system = StageSystem(solver, WithoutCurvature(), h, a, points)  # J comes from the tangents
    r = numbers(rng, (2, samples, n), right)
    for s in range(samples):
        blocks = [[(i == j) * np.eye(n) - h * a[i][j] * J[i, s] for j in (0, 1)] for i in (0, 1)]
        M, b = np.block(blocks), r[:, s].ravel()
        for solve, A in ((system.solve, M), (system.solve_transposed, M.T)):
            v = np.concatenate([vi[s] for vi in solve(list(r))])
            assert v.dtype == np.result_type(matrix, right)
            error = np.linalg.norm(A @ v - b) / np.linalg.norm(b)
            assert error <= 100 * np.finfo(right).eps


def numbers(rng, shape, dtype):
    parts = rng.standard_normal((2, *shape))
    return (parts[0] + 1j * parts[1] if dtype.kind == "c" else parts[0]).astype(dtype)


def matrix_products(J):
    return Products(
        lambda dx, du: np.einsum("sij,sj->si", J, dx),
        lambda p: (np.einsum("sij,si->sj", J, p), {}),
    )


def test_petsc_ex23(host):
    """3 x' = 4 x, x(0) = 2: Crank–Nicolson at h = 1e-3; PETSc prints dx/dc = −3.3721514."""
    method = host.registry["discretization", "trapezoid"].cls()
    b, c, x, parts = 4.0, 3.0, np.array([[2.0]]), []
    field = Ratio(b)
    control = {"c": np.full(2, c)}
    for k in range(1000):
        x, part = method.linearize_step(field, k * 1e-3, 1e-3, x, control)
        parts.append(part)
    p, gradient = np.ones((1, 1)), 0.0
    for part in reversed(parts):
        p, pu = part.vjp(p)
        gradient += np.sum(pu["c"])
    assert round(gradient, 7) == -3.3721514


class Ratio(Dynamics):
    """f = b x / c with the control c."""

    controls = Layout({"c": ()})

    def __init__(self, b):
        self.b = b

    def __call__(self, t, x, u):
        return self.b * x / u["c"]

    def linearize(self, t, x, u):
        b, c = self.b, u["c"]
        return b * x / c, Products(
            lambda dx, du: b * dx / c - b * x / c**2 * du["c"],
            lambda p: (b * p / c, {"c": -np.sum(p * b * x) / c**2}),
        )


class VanDerPol(Dynamics):
    """x' = v, v' = μ ((1 − x²) v) − x with the control μ: stiff for μ = 1000."""

    controls = Layout({"mu": ()})

    def __call__(self, t, y, u):
        x, v = y[:, 0], y[:, 1]
        return np.stack([v, u["mu"] * (1 - x**2) * v - x], axis=1)

    def linearize(self, t, y, u):
        x, v, mu = y[:, 0], y[:, 1], u["mu"]
        a, b, c = -2 * mu * x * v - 1, mu * (1 - x**2), (1 - x**2) * v

        def jvp(dy, du):
            return np.stack([dy[:, 1], a * dy[:, 0] + b * dy[:, 1] + c * du["mu"]], axis=1)

        def vjp(p):
            px = np.stack([a * p[:, 1], p[:, 0] + b * p[:, 1]], axis=1)
            return px, {"mu": np.sum(c * p[:, 1])}

        return self(t, y, u), Products(jvp, vjp)


@pytest.mark.parametrize("name", ["sdirk2", "sdirk3", "rosenbrock", "backward_euler"])
def test_stiff_van_der_pol(host, name):
    """Along the slow branch, μ = 1000, with steps 10⁴ times the fast time scale 1/μ."""
    method = host.registry["discretization", name].cls()
    start, end, steps, mu = np.array([[2.0, -2 / 3000]]), 400.0, 40, 1000.0
    x, parts, h = start, [], end / steps
    control = {"mu": np.full(len(method.abscissae), mu)}
    for k in range(steps):
        x, part = method.linearize_step(VanDerPol(), k * h, h, x, control)
        parts.append(part)
    p, gradient = np.array([[1.0, 0.0]]), 0.0
    for part in reversed(parts):
        p, pu = part.vjp(p)
        gradient += np.sum(pu["mu"])

    def reference(mu):
        return scipy.integrate.solve_ivp(
            lambda t, y: VanDerPol()(t, y[None], {"mu": mu})[0],
            (0, end),
            start[0],
            method="Radau",
            rtol=1e-9,
            atol=1e-11,
        ).y[0, -1]

    tolerance = {1: 2e-2, 2: 2e-3, 3: 2e-4}[method.order]
    assert x[0, 0] == pytest.approx(reference(mu), rel=tolerance)
    slope = (reference(mu + 5) - reference(mu - 5)) / 10
    assert gradient == pytest.approx(slope, rel=10 * tolerance)


@pytest.mark.parametrize("name", ["imex_euler", "ars222", "etdrk4"])
def test_structure_that_is_missing(host, name):
    method = host.registry["discretization", name].cls()
    words = rf"{type(method).__name__} needs a dynamics with .* Square has none"
    with pytest.raises(StructureError, match=words):
        x, u = np.ones((1, 1)), {"u": np.zeros(len(method.abscissae))}
        method.step(Square(), 0.0, 0.1, x, u)


@pytest.mark.parametrize("name", ["leapfrog", "verlet"])
def test_halves_of_different_sizes(host, name):
    method = host.registry["discretization", name].cls()
    with pytest.raises(StructureError, match=r"takes a state \(q, p\).* Square has 3 entries"):
        method.step(Square(), 0.0, 0.1, np.ones((1, 3)), {"u": np.zeros(3)})


def test_no_second_derivatives_without_those_of_the_field(entry):
    """A field without `curvature` makes steps without it, and adjoints all the same."""
    method = entry.cls()
    field = WithoutCurvature()
    x, u = np.array([[0.5, -0.3]]), {"c": np.full(len(method.abscissae), 2.0)}
    y, part = method.linearize_step(field, 0.0, 0.1, x, u)
    assert part.curvature is None
    left = np.sum(y * part.jvp(x, u))
    px, pu = part.vjp(y)
    assert left == pytest.approx(np.sum(px * x) + np.sum(pu["c"] * u["c"]), rel=1e-13)


class WithoutCurvature(Dynamics):
    """x' = −s c sin x, with no second derivatives to offer."""

    controls = Layout({"c": ()})

    def __init__(self, scale=1.0):
        self.scale = scale

    def __call__(self, t, x, u):
        return -self.scale * u["c"] * np.sin(x)

    def linearize(self, t, x, u):
        c, s = self.scale * u["c"], self.scale * np.sin(x)
        return -self.scale * u["c"] * np.sin(x), Products(
            lambda dx, du: -c * np.cos(x) * dx - s * du["c"],
            lambda p: (-c * np.cos(x) * p, {"c": -np.sum(s * p)}),
        )

    def splitting(self):
        return WithoutCurvature(0.7), WithoutCurvature(0.3)

    def linear_part(self):
        return -np.eye(2)


@pytest.mark.parametrize("size", [0.0, 1e-6, 0.5, 30.0, 2000.0])
def test_phi_functions(size):
    """Against the exponential of one augmented matrix (Saad 1992), not normal, stable."""
    A = size * np.array([[-1.0, 0.9, 0.0], [0.0, -0.5, 0.3], [0.1, 0.0, -0.7]])
    n, count = 3, 3
    W = np.zeros((n * (count + 1),) * 2)
    W[:n, :n] = A
    for k in range(count):
        W[n * k : n * (k + 1), n * (k + 1) : n * (k + 2)] = np.eye(n)
    blocks = scipy.linalg.expm(W)[:n]
    for k, phi in enumerate(phi_functions(A, count)):
        expected = blocks[:, n * k : n * (k + 1)]
        np.testing.assert_allclose(phi, expected, rtol=1e-11, atol=1e-14)
    assert math.isclose(phi_functions(0 * A, 3)[3][0, 0], 1 / 6, rel_tol=1e-14)
