"""LSMR, postconditioners, and the number of steps as a regularisation."""

import itertools

import numpy as np
import pytest
import scipy.sparse.linalg
from numpy.testing import assert_allclose

from occore import InputError, Status, StructureError
from occore_least_squares.cgls import CGLS
from occore_least_squares.conditioning import conditioned
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.lsmr import LSMR
from occore_least_squares.lsqr import LSQR
from occore_least_squares.steepest_descent import SteepestDescent
from occore_least_squares.tikhonov import Tikhonov

KRYLOV = [CGLS, LSQR, LSMR]
ALL = [*KRYLOV, SteepestDescent]
NAMED = ["identity", "columns", "integral", "double_integral"]


def iterates(optimizer, problem, count):
    theta = np.zeros(problem.size)
    state, result = optimizer.init(problem, theta), []
    for _ in range(count):
        theta, state = optimizer.step(problem, theta, state)
        result.append((theta, state))
    return result


def test_lsmr_has_the_iterates_of_scipy(rng, linear_problem):
    A, B = rng.standard_normal((50, 20)), rng.standard_normal((50, 1))
    for k, (theta, _) in enumerate(iterates(LSMR(), linear_problem(A, B), 10), start=1):
        scipys = scipy.sparse.linalg.lsmr(A, B[:, 0], maxiter=k, atol=0, btol=0, conlim=0)[0]
        assert_allclose(theta, scipys, rtol=1e-10, atol=1e-12)


def test_the_gradient_of_lsmr_never_grows(blurred, rng, linear_problem):
    A, _, b = blurred
    problem = linear_problem(A, (b + 1e-3 * rng.standard_normal(64))[:, None])
    norms = [state.gradient_norm for _, state in iterates(LSMR(), problem, 30)]
    assert all(after <= before for before, after in itertools.pairwise(norms))
    lsqr = [state.gradient_norm for _, state in iterates(LSQR(), problem, 30)]
    assert any(after > before for before, after in itertools.pairwise(lsqr))


@pytest.mark.parametrize(
    ("cls", "S"), [*itertools.product(KRYLOV, NAMED), (SteepestDescent, "columns")]
)
def test_a_postconditioner_leaves_the_solution(cls, S, rng, linear_problem, solve):
    A, B = rng.standard_normal((30, 4)) * [1, 5, 0.2, 1], rng.standard_normal((30, 2))
    problem = linear_problem(A, B, bias=True, objective=LeastSquares() + 0.5 * Tikhonov())
    optimizer = cls(postconditioner=S, tolerance=1e-12, max_iterations=1000)
    theta, state, status = solve(optimizer, problem)
    assert status is Status.CONVERGED
    full = np.hstack([A, np.ones((30, 1))])
    expected = np.linalg.solve(full.T @ full + 0.5 * np.eye(5), full.T @ B)
    assert_allclose(problem.unflatten(theta)["fit"]["W"], expected[:4].T, rtol=1e-8, atol=1e-9)
    assert_allclose(state.value, problem.value(theta), rtol=1e-10)


@pytest.mark.parametrize("S", [*NAMED, ((2.0, 1.0, 0.0), (0.0, 1.0, 3.0), (1.0, 0.0, 1.0))])
def test_the_iterates_are_those_of_the_system_in_z(S, rng, linear_problem):
    """CGLS on A S, with S as a matrix from its action on unit vectors."""
    A, B = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
    problem = linear_problem(A, B)
    system = conditioned(problem, S)
    matrix = np.stack([system.apply(e) for e in np.eye(3)], axis=1)
    assert_allclose(np.stack([system.adjoint(e) for e in np.eye(3)], axis=1), matrix.T)
    plain = iterates(CGLS(), linear_problem(A @ matrix, B), 2)  # a third would end at rounding
    ours = iterates(CGLS(postconditioner=S), problem, 2)
    for (z, plain_state), (theta, state) in zip(plain, ours, strict=True):
        assert_allclose(theta, matrix @ z, rtol=1e-9)
        assert_allclose(state.gradient_norm, plain_state.gradient_norm, rtol=1e-9)


def test_the_named_postconditioners(linear_problem):
    expected = {
        "integral": [[1, 0, 0], [1, 1, 0], [1, 1, 1]],
        "double_integral": [[1, 0, 0], [2, 1, 0], [3, 2, 1]],
    }
    for name, matrix in expected.items():
        system = conditioned(linear_problem(np.eye(3), np.zeros((3, 1))), name)
        found = np.stack([system.apply(e) for e in np.eye(3)], axis=1)
        assert_allclose(found, matrix)


@pytest.mark.parametrize("cls", KRYLOV)
def test_equilibrated_columns_save_iterations(cls, rng, linear_problem, solve):
    """Columns of sizes 1 to 1e6: the condition falls from 1e6 to that of a random matrix."""
    A = rng.standard_normal((200, 20)) * np.logspace(0, 6, 20)
    problem = linear_problem(A, rng.standard_normal((200, 1)))
    _, plain, status = solve(cls(max_iterations=60), problem)
    _, scaled, scaled_status = solve(cls(max_iterations=60, postconditioner="columns"), problem)
    assert status is Status.ITERATION_LIMIT
    assert scaled_status is Status.CONVERGED
    assert scaled.iteration < 30 < plain.iteration


def test_a_postconditioner_that_does_not_fit_is_refused(rng, linear_problem):
    problem = linear_problem(rng.standard_normal((5, 3)), np.zeros((5, 1)))
    with pytest.raises(InputError, match="as long as the last axis"):
        LSQR(postconditioner=((1.0, 0.0), (0.0, 1.0))).init(problem, np.zeros(3))


@pytest.mark.parametrize("cls", ALL)
def test_the_discrepancy_principle_stops_at_the_first_iterate_at_the_noise(
    cls, blurred, rng, linear_problem, solve
):
    A, _, b = blurred
    noise = 1e-2 * rng.standard_normal(64)
    problem = linear_problem(A, (b + noise)[:, None])
    level = float(np.linalg.norm(noise))
    theta, state, status = solve(cls(noise_level=level, safety=1.05), problem)
    assert status is Status.NOISE_LEVEL
    residuals = [np.sqrt(2 * s.value) for _, s in iterates(cls(), problem, state.iteration)]
    assert np.linalg.norm(problem.residual(theta)) <= 1.05 * level * (1 + 1e-9)
    assert residuals[-1] <= 1.05 * level < residuals[-2]


def test_a_noise_level_beside_penalties_is_refused(rng, linear_problem):
    objective = LeastSquares() + 1.0 * Tikhonov()
    problem = linear_problem(rng.standard_normal((5, 3)), np.zeros((5, 1)), objective=objective)
    with pytest.raises(StructureError, match="remove the penalties"):
        LSQR(noise_level=0.1).init(problem, np.zeros(3))


@pytest.mark.parametrize("cls", KRYLOV)
def test_the_number_of_steps_regularises(cls, blurred, rng, linear_problem, solve):
    """Semi-convergence: the error falls, then the noise takes over; the stop is near the turn."""
    A, x, b = blurred
    noise = 1e-2 * rng.standard_normal(64)
    problem = linear_problem(A, (b + noise)[:, None])
    errors = [np.linalg.norm(theta - x) for theta, _ in iterates(cls(), problem, 60)]
    best = int(np.argmin(errors))
    assert 2 <= best <= 20
    assert errors[-1] > 10 * errors[best]
    theta, _, _ = solve(cls(noise_level=float(np.linalg.norm(noise))), problem)
    assert np.linalg.norm(theta - x) < 2 * errors[best]


def test_a_slide_takes_the_norm_of_the_old_direction_in_cgls(rng):
    """The slide's listing forms γ₊ = d'*d with the old direction; it must be sᵀs with s = Aᵀr.

    With γ₊ from the old direction the directions are not conjugate, and two steps do not end.
    """
    A = np.array([[1.0, 2.0], [1.0, 3.0], [1.0, 4.0]])
    b = A @ [1.0, 1.2]

    def two_steps(new_norm):
        x, r = np.zeros(2), b.copy()
        d = s = A.T @ r
        gamma = s @ s
        for _ in range(2):
            q = A @ d
            alpha = gamma / (q @ q)
            x, r = x + alpha * d, r - alpha * q
            s = A.T @ r
            new = new_norm(d, s)
            d, gamma = s + new / gamma * d, new
        return x

    assert_allclose(two_steps(lambda d, s: s @ s), [1.0, 1.2], rtol=1e-10)
    assert np.linalg.norm(two_steps(lambda d, s: d @ d) - [1.0, 1.2]) > 0.1
