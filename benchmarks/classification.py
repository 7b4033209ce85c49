"""Softmax regression on MNIST beside scikit-learn, to the same accuracy in one run.

minimise Σ loss + ½‖W‖², 60,000 × 785 in float64 with the column of ones penalised as the others,
until the gradient has fallen by 1e6. OCCORE_DATA names the folder that holds mnist/. scikit-learn
stops by the largest entry of the gradient: its tolerances were chosen to reach 1e-6 in the norm and
hardly more. It is given dense and sparse inputs; occore's are sparse. The seconds of the processor,
of all threads together, do not depend on what else the machine does.
"""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

import occore
from benchmarks.harness import Row, compare, installed
from occore_classification.newton_cg import NewtonCG
from occore_classification.softmax_cross_entropy import SoftmaxCrossEntropy
from occore_least_squares.datasets.idx import Idx
from occore_least_squares.linear import Linear
from occore_least_squares.tikhonov import Tikhonov

FILES = ("mnist/train-images-idx3-ubyte.gz", "mnist/train-labels-idx1-ubyte.gz")
REDUCTION = 1e-6
PEERS = (
    ("newton-cg", "sparse", 5e-8),
    ("lbfgs", "sparse", 5e-8),
    ("newton-cg", "dense", 5e-8),
    ("lbfgs", "dense", 5e-8),
)
"""Solvers of scikit-learn, what they are given, and their tolerances."""


def _solve(problem: occore.Problem) -> np.ndarray:
    optimizer, theta = NewtonCG(preconditioner="gram", tolerance=REDUCTION), np.zeros(problem.size)
    problem = occore.Problem(problem.phases, problem.objective, problem.data)  # nothing is kept
    state = optimizer.init(problem, theta)
    while optimizer.finished(problem, theta, state) is None:
        theta, state = optimizer.step(problem, theta, state)
    return theta


def _peer(
    problem: occore.Problem, solver: str, tolerance: float, X: Any, y: np.ndarray
) -> Callable[[], np.ndarray]:
    from sklearn.linear_model import LogisticRegression

    def fit() -> np.ndarray:
        model = LogisticRegression(fit_intercept=False, solver=solver, tol=tolerance, max_iter=5000)
        W = model.fit(X, y).coef_
        return problem.flatten({"fit": {"W": W[:, :-1], "b": W[:, -1]}})

    return fit


def measure() -> tuple[list[Row], list[str]]:
    """One row for each solver of scikit-learn and kind of input."""
    folder = Path(os.environ.get("OCCORE_DATA", "."))
    if not (folder / FILES[0]).is_file():
        return [], ["MNIST, for which OCCORE_DATA must name a folder"]
    if not installed("sklearn"):
        return [], ["scikit-learn"]
    data = Idx(*FILES, sparse=True).load((folder,), np.random.default_rng(0))
    objective = SoftmaxCrossEntropy("sum") + 1.0 * Tikhonov()
    problem = occore.Problem((occore.Phase("fit", Linear((784,), 10)),), objective, data)
    ones = scipy.sparse.csr_array(np.ones((data.samples, 1)))
    wide = scipy.sparse.csr_matrix(scipy.sparse.hstack([data.inputs, ones]))
    y = np.argmax(data.targets, axis=1)
    first = occore.norm(problem.value_and_gradient(np.zeros(problem.size))[1])
    kept: dict[str, np.ndarray] = {}
    seconds: dict[str, float] = {}

    def remembered(name: str, solve: Callable[[], np.ndarray]) -> Callable[[], None]:
        def run() -> None:
            begin = time.process_time()
            kept[name] = solve()
            seconds[name] = time.process_time() - begin

        return run

    def reached(name: str) -> tuple[float, float]:
        value, gradient = problem.value_and_gradient(kept[name])
        return value, occore.norm(gradient) / first

    rows = []
    ours = remembered("occore", lambda: _solve(problem))
    ours()  # compiled code is loaded, and nothing else is warm
    for solver, inputs, tolerance in PEERS:
        X = wide if inputs == "sparse" else wide.toarray()
        row = compare(
            "softmax on MNIST, gradient reduced by 1e6",
            f"scikit-learn {solver}, {inputs}",
            ours,
            remembered("peer", _peer(problem, solver, tolerance, X, y)),
            "objective to 1e-9",
            repeats=1,
            warm_up=False,
        )
        (value, gradient), (theirs, their_gradient) = reached("occore"), reached("peer")
        np.testing.assert_allclose(value, theirs, rtol=1e-9)
        if max(gradient, their_gradient) > REDUCTION:
            raise AssertionError(f"{solver}: {gradient:.1e} and {their_gradient:.1e} reached")
        processor = f"processor {seconds['occore']:.3g} and {seconds['peer']:.3g} s"
        rows.append(replace(row, agreement=f"{row.agreement}; {processor}"))
    return rows, []
