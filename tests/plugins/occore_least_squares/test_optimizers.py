"""Direct and iterative least-squares solvers, on real data and at their theoretical rates."""

import numpy as np
import pytest
import scipy.sparse.linalg
from numpy.testing import assert_allclose

from occore import Problem, Status, affine_residual
from occore_least_squares.cgls import CGLS
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.lsqr import LSQR
from occore_least_squares.qr import QR
from occore_least_squares.steepest_descent import SteepestDescent
from occore_least_squares.svd import SVD
from occore_least_squares.tikhonov import Tikhonov
from occore_least_squares.tsvd import TSVD

REAL = ["diabetes", "digits", "breast_cancer", "wine", "iris"]


@pytest.fixture(scope="module")
def real(request, linear_problem):
    """A real data set as a problem with a bias, and the solution of minimum norm by NumPy."""
    import sklearn.datasets

    bunch = getattr(sklearn.datasets, f"load_{request.param}")()
    target = bunch.target[:, None].astype(float)
    if request.param != "diabetes":
        target = (target == np.unique(target)).astype(float)
    problem = linear_problem(bunch.data, target, bias=True)
    A = np.hstack([bunch.data, np.ones((len(target), 1))])
    return problem, np.linalg.lstsq(A, target, rcond=None)[0]


def as_matrix(problem: Problem, theta):
    u = problem.unflatten(theta)["fit"]
    return np.vstack([u["W"].T, u["b"][None]])


@pytest.mark.parametrize("real", REAL, indirect=True)
@pytest.mark.parametrize("optimizer", [QR(), SVD()], ids=["qr", "svd"])
def test_direct_solvers_agree_with_numpy(real, optimizer, solve):
    problem, expected = real
    theta, state, status = solve(optimizer, problem)
    found = as_matrix(problem, theta)
    assert status is Status.SOLVED
    assert state.iteration == 1
    assert np.linalg.norm(found - expected) <= 1e-10 * np.linalg.norm(expected)


@pytest.mark.parametrize("real", REAL, indirect=True)
@pytest.mark.parametrize(
    "optimizer",
    [CGLS(max_iterations=20_000, tolerance=1e-14), LSQR(max_iterations=20_000, tolerance=1e-14)],
    ids=["cgls", "lsqr"],
)
def test_krylov_solvers_converge_to_numpy(real, optimizer, solve):
    problem, expected = real
    theta, _, _ = solve(optimizer, problem)
    # conditions of 1e3 to 1e6 leave the coefficients fewer digits than the fit has
    assert_allclose(problem.value(theta), fit(problem, expected), rtol=1e-9)
    A = np.hstack([problem.data.inputs, np.ones((problem.data.samples, 1))])
    difference = np.linalg.norm(A @ (as_matrix(problem, theta) - expected))
    assert difference <= 1e-6 * np.linalg.norm(A @ expected)


def fit(problem, matrix):
    A = np.hstack([problem.data.inputs, np.ones((problem.data.samples, 1))])
    return np.sum((A @ matrix - problem.data.targets) ** 2) / 2


@pytest.mark.parametrize("operator", ["identity", "first_difference", "second_difference"])
@pytest.mark.parametrize(
    "optimizer",
    [QR(), SVD(), CGLS(tolerance=1e-13), LSQR(tolerance=1e-13)],
    ids=lambda o: type(o).__name__,
)
def test_tikhonov_with_a_general_operator(operator, optimizer, rng, linear_problem, solve):
    A, B = rng.standard_normal((30, 6)), rng.standard_normal((30, 2))
    penalty = Tikhonov(operator=operator, controls=("W",))
    problem = linear_problem(A, B, bias=True, objective=LeastSquares() + 0.7 * penalty)
    theta, _, _ = solve(optimizer, problem)
    order = {"identity": 0, "first_difference": 1, "second_difference": 2}[operator]
    L = np.hstack([np.diff(np.eye(6), order, axis=0), np.zeros((6 - order, 1))])
    full = np.hstack([A, np.ones((30, 1))])
    expected = np.linalg.solve(full.T @ full + 0.7 * L.T @ L, full.T @ B)
    assert_allclose(as_matrix(problem, theta), expected, rtol=1e-9, atol=1e-11)


def test_qr_gives_the_minimum_norm_where_columns_repeat(rng, linear_problem, solve):
    A = rng.standard_normal((20, 3))
    A = np.hstack([A, A[:, :1], np.zeros((20, 1))])
    B = rng.standard_normal((20, 1))
    theta, _, _ = solve(QR(), linear_problem(A, B))
    assert_allclose(theta, np.linalg.pinv(A) @ B[:, 0], rtol=1e-12, atol=1e-13)


def test_truncated_svd_leaves_out_small_singular_values(rng, linear_problem, solve):
    U, _ = np.linalg.qr(rng.standard_normal((12, 3)))
    A = U * np.array([1.0, 0.5, 1e-3])
    b = rng.standard_normal((12, 1))
    theta, _, _ = solve(TSVD(cutoff=1e-2), linear_problem(A, b))
    expected = (U.T @ b)[:, 0] / np.array([1.0, 0.5, np.inf])
    assert_allclose(theta, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("a", [1.0, 1e-2])
def test_steepest_descent_attains_its_rate(a, linear_problem):
    """The worst start is v₁/λ₁ + v₂/λ₂ with the extreme eigenvectors (Akaike 1959)."""
    A = np.array([[1, 1 + a], [1, 1 + 2 * a], [1, 1 + 3 * a]])
    eigenvalues, V = np.linalg.eigh(A.T @ A)
    kappa = eigenvalues[1] / eigenvalues[0]
    problem = linear_problem(A, np.zeros((3, 1)))
    theta = V @ (1 / eigenvalues)
    optimizer = SteepestDescent(max_iterations=40, tolerance=0.0)
    state, errors = optimizer.init(problem, theta), []
    while optimizer.finished(problem, theta, state) is None:
        errors.append(np.linalg.norm(A @ theta))
        theta, state = optimizer.step(problem, theta, state)
    rates = np.array(errors[1:]) / np.array(errors[:-1])
    bound = (kappa - 1) / (kappa + 1)
    assert np.all(rates <= bound * (1 + 1e-9))
    assert_allclose(rates[-1], bound, rtol=0.1)
    # 10 % of a rate near one says little: the distance to one must be right as well
    assert_allclose(1 - rates[-1], 1 - bound, rtol=0.1)


@pytest.mark.parametrize("a", [1.0, 1e-2])
def test_cgls_ends_in_two_steps(a, linear_problem, solve):
    A = np.array([[1, 1 + a], [1, 1 + 2 * a], [1, 1 + 3 * a]])
    b = (A @ [1.0, 1.2])[:, None]
    theta, state, status = solve(CGLS(tolerance=1e-8), linear_problem(A, b))
    assert status is Status.CONVERGED
    assert state.iteration == 2
    assert_allclose(theta, [1.0, 1.2], rtol=1e-8)


def test_cgls_stays_below_its_bound(rng, linear_problem):
    """‖e_k‖_{AᵀA} ≤ 2 ((√κ − 1)/(√κ + 1))^k ‖e_0‖, Björck (1996), eq. (7.4.7)."""
    U, _ = np.linalg.qr(rng.standard_normal((60, 40)))
    V, _ = np.linalg.qr(rng.standard_normal((40, 40)))
    s = np.linspace(1, 30, 40)
    A = U * s @ V.T
    problem = linear_problem(A, A @ rng.standard_normal((40, 1)))
    expected = np.linalg.lstsq(A, problem.data.targets, rcond=None)[0][:, 0]
    optimizer, theta = CGLS(max_iterations=60), np.zeros(40)
    state, errors = optimizer.init(problem, theta), []
    while optimizer.finished(problem, theta, state) is None:
        errors.append(np.linalg.norm(A @ (theta - expected)))
        theta, state = optimizer.step(problem, theta, state)
    k, kappa = np.arange(len(errors)), s[-1] / s[0]  # √κ(AᵀA) = κ(A)
    assert np.all(errors <= 2 * ((kappa - 1) / (kappa + 1)) ** k * errors[0] * (1 + 1e-9))
    assert len(errors) > 10


def test_lsqr_and_cgls_and_scipy_have_the_same_iterates(rng, linear_problem, solve):
    A, B = rng.standard_normal((50, 20)), rng.standard_normal((50, 1))
    problem = linear_problem(A, B)
    for k in range(1, 11):
        ours, _, _ = solve(LSQR(max_iterations=k, tolerance=0.0), problem)
        cgls, _, _ = solve(CGLS(max_iterations=k, tolerance=0.0), problem)
        scipys = scipy.sparse.linalg.lsqr(A, B[:, 0], iter_lim=k, atol=0, btol=0, conlim=0)[0]
        assert_allclose(ours, scipys, rtol=1e-10, atol=1e-12)
        assert_allclose(ours, cgls, rtol=1e-10, atol=1e-12)


def test_the_reported_value_and_gradient_are_those_of_the_iterate(rng, linear_problem, solve):
    A, B = rng.standard_normal((50, 20)), rng.standard_normal((50, 1))
    problem = linear_problem(A, B)
    for optimizer in (LSQR(max_iterations=7), CGLS(max_iterations=7), SteepestDescent(7)):
        theta, state, _ = solve(optimizer, problem, rng.standard_normal(20))
        value, gradient = problem.value_and_gradient(theta)
        assert_allclose(state.value, value, rtol=1e-11)
        assert_allclose(state.gradient_norm, np.linalg.norm(gradient), rtol=1e-7)


def test_a_start_at_the_solution_is_converged_at_once(linear_problem, solve):
    problem = linear_problem(np.eye(3), np.ones((3, 1)))
    for optimizer in (LSQR(), CGLS(), SteepestDescent()):
        _, state, status = solve(optimizer, problem, np.ones(3))
        assert (state.iteration, status) == (0, Status.CONVERGED)


def test_single_precision(rng, linear_problem, solve):
    A = rng.standard_normal((50, 5)).astype(np.float32)
    problem = linear_problem(A, rng.standard_normal((50, 1)).astype(np.float32))
    for optimizer in (QR(), SVD(), LSQR(tolerance=1e-5), CGLS(tolerance=1e-5)):
        theta, _, _ = solve(optimizer, problem)
        assert theta.dtype == np.float32
        exact = np.linalg.lstsq(A.astype(float), problem.data.targets, rcond=None)[0][:, 0]
        assert_allclose(theta, exact, rtol=1e-4, atol=1e-5)


def test_the_affine_residual_is_the_residual(rng, linear_problem):
    A, B = rng.standard_normal((8, 3)), rng.standard_normal((8, 2))
    problem = linear_problem(A, B, bias=True)
    theta = rng.standard_normal(problem.size)
    system = affine_residual(problem)
    assert_allclose(system.at_zero + system.jvp(theta), problem.residual(theta), rtol=1e-13)
