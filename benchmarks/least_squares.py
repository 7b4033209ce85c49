"""Least-squares solvers beside NumPy, SciPy and scikit-learn on the same systems."""

from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

import occore
from benchmarks.harness import Row, compare, installed
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.linear import Linear
from occore_least_squares.lsqr import LSQR
from occore_least_squares.qr import QR
from occore_least_squares.ridge_path import RidgePath
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
    graded = A * np.logspace(0, -0.7, 300)  # so that rounding ends SciPy no earlier

    full = _fit(LeastSquares(), A, B)
    single = _fit(LeastSquares(), graded, B[:, :1])

    krylov = LSQR(max_iterations=ITERATIONS, tolerance=0.0)
    np.testing.assert_allclose(
        _solve(QR(), full).reshape(10, 300).T, np.linalg.lstsq(A, B, rcond=None)[0], rtol=1e-8
    )
    np.testing.assert_allclose(
        _solve(krylov, single), _scipys(graded, B[:, 0], ITERATIONS), rtol=1e-8, atol=1e-12
    )
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
            lambda: _scipys(graded, B[:, 0], ITERATIONS),
            "iterates to 1e-8",
        ),
    ]
    rows.append(_sparse_lsqr(rng))
    if not installed("sklearn"):
        return rows, ["scikit-learn"]
    from sklearn.linear_model import Ridge

    ridge = _fit(LeastSquares() + 1.0 * Tikhonov(), A, B)
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
    return [*rows, _ridge_path(rng)], []


def _scipys(A: Any, b: np.ndarray, iterations: int) -> np.ndarray:
    """SciPy's iterate; it stops where rounding ends progress, which must not be earlier."""
    x, _, made, *_ = scipy.sparse.linalg.lsqr(A, b, iter_lim=iterations, atol=0, btol=0, conlim=0)
    assert made == iterations, f"SciPy stopped after {made} iterations"  # noqa: S101
    return x


def _fit(objective: occore.Objective, inputs: Any, targets: np.ndarray) -> occore.Problem:
    """A linear layer without bias."""
    layer = Linear((inputs.shape[1],), targets.shape[1], bias=False)
    return occore.Problem((occore.Phase("fit", layer),), objective, occore.Data(inputs, targets))


def _sparse_lsqr(rng: np.random.Generator) -> Row:
    """LSQR on 200,000 × 20,000 with 4 million entries, in the order in which they lie in rows."""
    m, n, entries = 200_000, 20_000, 4_000_000
    places = rng.integers(0, m, entries), rng.integers(0, n, entries)
    A = scipy.sparse.csr_array((rng.standard_normal(entries), places), shape=(m, n))
    b = rng.standard_normal((m, 1))
    problem, krylov = _fit(LeastSquares(), A, b), LSQR(max_iterations=30, tolerance=0.0)

    found = _scipys(A, b[:, 0], 30)
    np.testing.assert_allclose(_solve(krylov, problem), found, rtol=1e-10, atol=1e-14)
    return compare(
        "lsqr, sparse 200,000 × 20,000, 4e6 entries, 30 iterations",
        "scipy.sparse.linalg.lsqr",
        lambda: _solve(krylov, problem),
        lambda: _scipys(A, b[:, 0], 30),
        "iterates to 1e-10",
    )


def _ridge_path(rng: np.random.Generator) -> Row:
    """50 weights on 20,000 × 500, chosen by leave-one-out, which is what RidgeCV does."""
    from sklearn.linear_model import RidgeCV

    m, n, lambdas = 20_000, 500, np.geomspace(1e-3, 1e4, 50)
    A = rng.standard_normal((m, n)) * np.logspace(0, -2, n)
    b = A @ rng.standard_normal((n, 1)) + 0.5 * rng.standard_normal((m, 1))
    problem = _fit(LeastSquares() + 1.0 * Tikhonov(), A, b)
    path = RidgePath("leave_one_out", smallest=1e-3, largest=1e4, points=50)
    peer = RidgeCV(alphas=lambdas, fit_intercept=False, store_cv_results=True)
    theta = np.zeros(problem.size)
    theta, state = path.step(problem, theta, path.init(problem, theta))
    peer.fit(A, b[:, 0])
    np.testing.assert_allclose(state.criterion, peer.cv_results_.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(state.lambdas[state.chosen], peer.alpha_, rtol=1e-12)
    np.testing.assert_allclose(theta, peer.coef_, rtol=1e-8, atol=1e-10)
    return compare(
        "path of 50 weights, leave-one-out, 20,000 × 500",
        "scikit-learn RidgeCV",
        lambda: _solve(path, problem),
        lambda: peer.fit(A, b[:, 0]),
        "errors to 1e-9, the same weight, coefficients to 1e-8",
        repeats=3,
    )
