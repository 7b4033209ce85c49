"""Least-squares solvers beside NumPy, SciPy and scikit-learn on the same systems."""

import numpy as np
import scipy.sparse.linalg

import occore
from benchmarks.harness import Row, compare, installed
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.linear import Linear
from occore_least_squares.lsqr import LSQR
from occore_least_squares.qr import QR
from occore_least_squares.tikhonov import Tikhonov

ITERATIONS = 50


def _solve(optimizer: occore.Optimizer, problem: occore.Problem) -> np.ndarray:
    theta = np.zeros(problem.size)
    state = optimizer.init(problem, theta)
    while optimizer.finished(problem, theta, state) is None:
        theta, state = optimizer.step(problem, theta, state)
    return theta


def measure() -> tuple[list[Row], list[str]]:
    """Direct and iterative solution of 5,000 × 300 systems with ten right-hand sides, or one."""
    rng = np.random.default_rng(0)
    A, B = rng.standard_normal((5000, 300)), rng.standard_normal((5000, 10))

    def problem(objective: occore.Objective, targets: np.ndarray) -> occore.Problem:
        layer = Linear((A.shape[1],), targets.shape[1], bias=False)
        return occore.Problem((occore.Phase("fit", layer),), objective, occore.Data(A, targets))

    full = problem(LeastSquares(), B)
    single = problem(LeastSquares(), B[:, :1])

    def lsqr() -> np.ndarray:
        return scipy.sparse.linalg.lsqr(A, B[:, 0], iter_lim=ITERATIONS, atol=0, btol=0, conlim=0)[
            0
        ]

    krylov = LSQR(max_iterations=ITERATIONS, tolerance=0.0)
    np.testing.assert_allclose(
        _solve(QR(), full).reshape(10, 300).T, np.linalg.lstsq(A, B, rcond=None)[0], rtol=1e-8
    )
    np.testing.assert_allclose(_solve(krylov, single), lsqr(), rtol=1e-8, atol=1e-12)
    rows = [
        compare(
            "qr, 5,000 × 300, 10 right-hand sides",
            "numpy.linalg.lstsq",
            lambda: _solve(QR(), full),
            lambda: np.linalg.lstsq(A, B, rcond=None),
            "coefficients to 1e-8",
        ),
        compare(
            f"lsqr, 5,000 × 300, {ITERATIONS} iterations",
            "scipy.sparse.linalg.lsqr",
            lambda: _solve(krylov, single),
            lsqr,
            "iterates to 1e-8",
        ),
    ]
    if not installed("sklearn"):
        return rows, ["scikit-learn"]
    from sklearn.linear_model import Ridge

    ridge = problem(LeastSquares() + 1.0 * Tikhonov(), B)
    peer = Ridge(alpha=1.0, fit_intercept=False, solver="svd")
    np.testing.assert_allclose(
        _solve(QR(), ridge).reshape(10, 300), peer.fit(A, B).coef_, rtol=1e-8
    )
    work = "qr with Tikhonov, 5,000 × 300, 10 right-hand sides"
    rows.append(
        compare(
            work,
            "scikit-learn Ridge, svd",
            lambda: _solve(QR(), ridge),
            lambda: peer.fit(A, B),
            "coefficients to 1e-8",
        )
    )
    return rows, []
