"""What the course claims of linear least squares, on its own matrices and on digits.

A hidden layer of logistic nodes with random weights makes the sinc matrix, 5000 × 20, of condition
about 1e9; Huang, Zhu and Siew (2006).
"""

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import occore
from occore import Status
from occore_least_squares.cgls import CGLS
from occore_least_squares.datasets.digits import Digits
from occore_least_squares.datasets.idx import Idx
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.normal_equations import NormalEquations
from occore_least_squares.qr import QR
from occore_least_squares.ridge_path import RidgePath
from occore_least_squares.svd import SVD
from occore_least_squares.tikhonov import Tikhonov
from occore_least_squares.tsvd import TSVD


def sinc_matrix(seed):
    """Outputs of the hidden layer (5000, 20), and the noisy targets (5000, 1)."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-10, 10, 5000)
    w, b = rng.uniform(-1, 1, 20), rng.uniform(0, 1, 20)
    H = 1 / (1 + np.exp(-(np.outer(x, w) + b)))
    return H, (np.sin(x) / x + rng.uniform(-0.2, 0.2, 5000))[:, None]


@pytest.mark.parametrize("seed", range(5))
def test_the_sinc_matrix_spoils_the_normal_equations(seed, linear_problem, solve):
    H, y = sinc_matrix(seed)
    assert np.linalg.cond(H) > 1e8
    problem = linear_problem(H, y)
    thetas = {cls: solve(cls(), problem)[0] for cls in (QR, SVD, NormalEquations)}
    residuals = {cls: np.linalg.norm(problem.residual(theta)) for cls, theta in thetas.items()}
    rounding = 1 + 1e-12
    assert residuals[QR] <= residuals[NormalEquations] * rounding
    assert residuals[SVD] <= residuals[NormalEquations] * rounding

    def error(cls):
        return np.linalg.norm(thetas[cls] - thetas[SVD]) / np.linalg.norm(thetas[SVD])

    assert error(QR) < 1e-5  # κ ε is 1e-7 to 1e-6
    assert error(NormalEquations) > 1e-2  # κ² ε is beyond one: no digit is sure


def test_ridge_on_digits(linear_problem, solve):
    """1000 digits to learn, 797 to judge: 6.2 to 7.4 % error, over ten splits in the mean."""
    data, errors = Digits().load((), np.random.default_rng(0)), []
    for seed in range(10):
        order = np.random.default_rng(seed).permutation(1797)
        train, test = data.subset(order[:1000]), data.subset(order[1000:])
        objective = LeastSquares() + 1.0 * Tikhonov(controls=("W",))
        problem = linear_problem(train.inputs, train.targets, bias=True, objective=objective)
        theta, _, _ = solve(QR(), problem)
        u = problem.unflatten(theta)["fit"]
        outputs = test.inputs @ u["W"].T + u["b"]
        errors.append(np.mean(np.argmax(outputs, 1) != np.argmax(test.targets, 1)))
    assert 0.062 <= np.mean(errors) <= 0.074


def mnist_folder():
    """The folder above mnist/, which OCCORE_DATA names, or mnist/ itself."""
    folder = Path(os.environ.get("OCCORE_DATA", "none"))
    return folder if (folder / "mnist").is_dir() else folder.parent


def test_least_squares_on_mnist(linear_problem, solve):
    """10,000 digits, the first 8000 to learn: 15.1 % error on the others, by 25 weights at once.

    λ by leave-one-out. Without a penalty the error is larger: 8000 digits leave 785 weights free.
    """
    folder = mnist_folder()
    name, labels = (f"mnist/train-{part}-ubyte.gz" for part in ("images-idx3", "labels-idx1"))
    if not (folder / name).is_file():
        pytest.skip(f"no {name} in the folder that OCCORE_DATA names")
    data = Idx(inputs=name, labels=labels, samples=10_000).load((folder,), np.random.default_rng(0))
    train, test = data.subset(np.arange(8000)), data.subset(np.arange(8000, 10_000))
    objective = LeastSquares() + 1.0 * Tikhonov(controls=("W",))
    problem = linear_problem(train.inputs, train.targets, bias=True, objective=objective)
    optimizer = RidgePath("leave_one_out", smallest=1e-2, largest=1e4, points=25)
    _, state, _ = solve(optimizer, problem)

    def error(theta):
        u = problem.unflatten(theta)["fit"]
        outputs = test.inputs @ u["W"].T + u["b"]
        return np.mean(np.argmax(outputs, axis=1) != np.argmax(test.targets, axis=1))

    assert abs(error(state.thetas[state.chosen]) - 0.151) < 0.008  # one deviation of such a share
    assert error(state.thetas[0]) > error(state.thetas[state.chosen])


def slide(a):
    A = np.array([[1, 1 + a], [1, 1 + 2 * a], [1, 1 + 3 * a]])
    return A, (A @ [1.0, 1.2])[:, None]


def test_rounding_stalls_cgls_at_the_smallest_slope(linear_problem, solve):
    """At a = 1e-5 the second step, which ends it on paper, leaves the solution wrong."""
    A, b = slide(1e-5)
    theta, _, _ = solve(CGLS(max_iterations=2, tolerance=0.0), linear_problem(A, b))
    assert np.linalg.norm(theta - [1.0, 1.2]) > 1e-7
    exact, _, status = solve(QR(), linear_problem(A, b))
    assert status is Status.SOLVED
    assert_allclose(exact, [1.0, 1.2], rtol=1e-9)


def test_the_truncated_svd_bears_the_noise_of_the_slide(linear_problem, solve, rng):
    """a = 1e-5, noise 0.1: plain coefficients are worthless, those of rank one are of size one."""
    A, b = slide(1e-5)
    plain, kept = [], []
    for _ in range(20):
        problem = linear_problem(A, b + 0.1 * rng.standard_normal((3, 1)))
        plain.append(np.linalg.norm(solve(QR(), problem)[0] - [1.0, 1.2]))
        kept.append(np.linalg.norm(solve(TSVD(rank=1), problem)[0] - [1.0, 1.2]))
    assert np.median(plain) > 1e3
    assert np.median(kept) < 0.3


@pytest.mark.parametrize(
    ("a", "start"), [(1.0, 1.151642), (1e-2, 1.10099013), (1e-5, 1.10000099999)]
)
def test_the_case_of_steepest_descent(a, start, tmp_path):
    """The error ‖A (x − x*)‖ falls by (κ − 1)/(κ + 1) a step: slowly, hardly, and not at all."""
    settings = [f"data.a={a}", f"phase.fit.guess.W={start}"]
    case = occore.load_case("cases/02_least_squares/steepest_descent.toml", settings=settings)
    run = occore.run(case, tmp_path / "run.h5", checks=False)
    assert run.status == ("converged" if a == 1.0 else "iteration_limit")
    kappa = np.linalg.cond(slide(a)[0]) ** 2
    errors = np.sqrt(2 * run.history["objective"][:500])
    rates, bound = errors[1:] / errors[:-1], (kappa - 1) / (kappa + 1)
    # the objective is a sum of squares of differences that cancel: at a = 1e-5 six digits are left
    assert np.all(rates <= bound + 1e-6)
    if a != 1e-5:
        assert_allclose(1 - rates[:100], 1 - bound, rtol=0.1)


def test_two_steps_of_cgls_end_the_case(tmp_path):
    settings = ["optimizer.kind=cgls", "optimizer.tolerance=1e-10"]
    case = occore.load_case("cases/02_least_squares/steepest_descent.toml", settings=settings)
    run = occore.run(case, tmp_path / "run.h5", checks=False)
    assert (run.status, run.result["iterations"]) == ("converged", 2)
