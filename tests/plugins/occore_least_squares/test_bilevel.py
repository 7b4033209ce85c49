"""The gradient of the loss in validation by the implicit function theorem, and its use."""

import numpy as np
import pytest
import sympy
from numpy.testing import assert_allclose

import occore
from occore import ComputationError, Data, Phase, Problem, Status, StructureError
from occore_least_squares.bilevel import Bilevel
from occore_least_squares.cgls import CGLS
from occore_least_squares.hypergradient import ValidationLoss
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.linear import Linear
from occore_least_squares.qr import QR
from occore_least_squares.ridge_path import RidgePath
from occore_least_squares.tikhonov import Tikhonov


def test_the_hypergradient_is_that_of_sympy():
    """3 equations, 2 unknowns, 2 weights: Θ(η), V(η) and ∂V/∂η in closed form."""
    A, b = sympy.Matrix([[1, 2], [1, 3], [2, -1]]), sympy.Matrix([1, 4, 2])
    A_v, b_v = sympy.Matrix([[1, 1], [3, -2]]), sympy.Matrix([2, 1])
    operators = sympy.eye(2), sympy.Matrix([[1, -1]])
    eta = sympy.symbols("eta1 eta2")
    pairs = zip(eta, operators, strict=True)
    H = A.T @ A + sum((sympy.exp(e) * L.T @ L for e, L in pairs), sympy.zeros(2))
    Theta = H.inv() @ A.T @ b
    r = A_v @ Theta - b_v
    V = (r.T @ r)[0] / 2
    exact = sympy.lambdify([eta], [V, [V.diff(e) for e in eta], list(Theta)])

    def array(M):
        return np.array(M, float)

    loss = ValidationLoss(*map(array, (A, b, A_v, b_v)), tuple(map(array, operators)))
    for at in ([0.0, 0.0], [1.3, -2.0], [-4.0, 3.0]):
        value, gradient, theta = loss(np.array(at))
        expected = exact(at)
        assert_allclose(value, expected[0], rtol=1e-12)
        assert_allclose(gradient, expected[1], rtol=1e-12)
        assert_allclose(theta[:, 0], expected[2], rtol=1e-12)


def random_loss(rng):
    A, B = rng.standard_normal((20, 5)), rng.standard_normal((20, 2))
    A_v, B_v = rng.standard_normal((9, 5)), rng.standard_normal((9, 2))
    return ValidationLoss(A, B, A_v, B_v, (np.eye(5), np.diff(np.eye(5), axis=0)))


def test_taylor(rng):
    """V(η + h d) − V − h g·d is O(h²), over four decades."""
    loss, eta, d = random_loss(rng), rng.standard_normal(2), rng.standard_normal(2)
    V, g, _ = loss(eta)
    h = 10.0 ** -np.arange(1, 5.1, 0.5)
    remainders = [abs(loss(eta + s * d)[0] - V - s * g @ d) for s in h]
    slope = np.polyfit(np.log(h[2:]), np.log(remainders[2:]), 1)[0]
    assert abs(slope - 2) < 0.02


def test_a_slip_in_the_gradient_is_seen(rng):
    """λ left out of ∂V/∂η, the derivative with respect to λ: the Taylor test has slope 1."""
    loss, eta, d = random_loss(rng), np.array([0.7, -0.4]), np.array([1.0, 0.5])
    V, g, _ = loss(eta)
    h = 10.0 ** -np.arange(2, 5.1, 0.5)
    remainders = [abs(loss(eta + s * d)[0] - V - s * (g / np.exp(eta)) @ d) for s in h]
    assert abs(np.polyfit(np.log(h), np.log(remainders), 1)[0] - 1) < 0.02


def noisy(rng, samples=60, n=20):
    """A smooth solution that noise hides, with a small and a rough part penalised."""
    A = rng.standard_normal((samples, n))
    x = np.sin(np.linspace(0, 3, n))
    b = A @ x + 2.0 * rng.standard_normal(samples)
    objective = LeastSquares() + Tikhonov() + Tikhonov(operator="second_difference")
    problem = Problem((Phase("fit", Linear((n,), 1, bias=False)),), objective, Data(A, b[:, None]))
    return problem, x


def test_the_weights_are_a_minimum_of_the_loss_in_validation(rng, solve):
    problem, x = noisy(rng)
    optimizer = Bilevel()
    theta, state, status = solve(optimizer, problem)
    assert status is Status.CONVERGED
    loss = optimizer.loss(problem)
    best, _, _ = loss(state.eta)
    for step in np.vstack([np.eye(2), -np.eye(2)]):
        assert loss(state.eta + 0.1 * step)[0] > best
    assert np.all(np.diff(state.losses) < 0)
    unweighed = np.linalg.lstsq(problem.data.inputs, problem.data.targets, rcond=None)[0][:, 0]
    assert np.linalg.norm(theta - x) < np.linalg.norm(unweighed - x)


def test_one_weight_is_that_of_a_fine_grid(rng, solve):
    problem, _ = noisy(rng)
    smooth = LeastSquares() + Tikhonov(operator="second_difference")
    problem = Problem(problem.phases, smooth, problem.data)
    _, state, _ = solve(Bilevel(), problem)
    with pytest.raises(ComputationError):  # a penalty that leaves lines free, and one sample
        solve(Bilevel(validation=0.98), problem)
    grid = RidgePath(choose="validation", smallest=1e-3, largest=1e6, points=2000)
    _, path, _ = solve(grid, problem)
    ratio = np.log(path.lambdas[path.chosen] / np.exp(state.eta[0]))
    assert abs(ratio) < 1.01 * np.log(path.lambdas[1] / path.lambdas[0])


def test_what_has_no_penalty_is_refused(rng, linear_problem):
    problem = linear_problem(rng.standard_normal((8, 2)), np.zeros((8, 1)))
    with pytest.raises(StructureError, match="has none"):
        Bilevel().init(problem, np.zeros(2))


def test_the_weights_lie_in_the_run_file(tmp_path):
    case = occore.load_case(
        "cases/02_least_squares/diabetes.toml", settings=["optimizer.kind=bilevel"]
    )
    run = occore.run(case, tmp_path / "bilevel.h5")
    report = run.result["bilevel"]
    assert report["weights"].shape == (run.result["iterations"] + 1, 1)
    assert report["validation_loss"][-1] == min(report["validation_loss"])


def test_the_derivative_of_the_solution_in_the_weight_is_that_of_sympy(linear_problem, solve):
    """3 × 2: ∇J, and ∂x_λ/∂λ = −H⁻¹ LᵀL x_λ, the solution of a least-squares problem as well.

    The system [A; √λ L] z = [0; −L x_λ/√λ] has the normal equations H z = −LᵀL x_λ.
    """
    A, b = sympy.Matrix([[1, 2], [1, 3], [2, -1]]), sympy.Matrix([1, 4, 2])
    L, lam, x = sympy.Matrix([[1, -1], [0, 2]]), sympy.Symbol("lam"), sympy.symbols("x1 x2")
    H, unknown = A.T @ A + lam * L.T @ L, sympy.Matrix(x)
    misfit = A @ unknown - b
    J = (misfit.T @ misfit)[0] / 2 + lam * ((L @ unknown).T @ (L @ unknown))[0] / 2
    solution = H.inv() @ A.T @ b
    weight, point = 0.7, np.array([0.3, -1.1])
    inputs, targets, rows = (np.array(M, float) for M in (A, b, L))
    penalty = Tikhonov(operator=tuple(map(tuple, rows.tolist())))
    problem = linear_problem(inputs, targets, objective=LeastSquares() + weight * penalty)
    gradient = sympy.lambdify([lam, x], [J, *(J.diff(entry) for entry in x)])(weight, point)
    value, found = problem.value_and_gradient(point)
    assert_allclose([value, *found], gradient, rtol=1e-13)
    exact = sympy.lambdify(lam, [*solution, *solution.diff(lam)])(weight)
    stacked = np.vstack([inputs, np.sqrt(weight) * rows])
    for optimizer in (QR(), CGLS(tolerance=1e-14)):
        theta, _, _ = solve(optimizer, problem)
        assert_allclose(theta, exact[:2], rtol=1e-12)
        right = np.concatenate([np.zeros(3), -rows @ theta / np.sqrt(weight)])
        slope, _, _ = solve(optimizer, linear_problem(stacked, right[:, None]))
        assert_allclose(slope, exact[2:], rtol=1e-12)
