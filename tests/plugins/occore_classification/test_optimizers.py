"""Smooth optimizers on real data: agreement with scikit-learn, separable classes, precisions."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore import InputError, Status, StructureError, norm
from occore_classification.gradient_descent import GradientDescent
from occore_classification.lbfgs import LBFGS
from occore_classification.nesterov import Nesterov
from occore_classification.newton import Newton, newton_direction
from occore_classification.newton_cg import NewtonCG
from occore_classification.scipy_minimize import Method, ScipyMinimize
from tests.plugins.occore_classification.conftest import (
    bundled,
    logistic_problem,
    softmax_problem,
    solve,
)

ALL = {
    "gradient_descent": GradientDescent(tolerance=1e-5, max_iterations=5000),
    "nesterov": Nesterov(tolerance=1e-7, max_iterations=5000),
    "lbfgs": LBFGS(tolerance=1e-9, max_iterations=1000),
    "newton": Newton(tolerance=1e-10),
    "trust_region": NewtonCG(tolerance=1e-10),
    "line_search": NewtonCG(tolerance=1e-10, globalization="line_search"),
    "gram": NewtonCG(tolerance=1e-10, preconditioner="gram"),
    "scipy": ScipyMinimize(tolerance=1e-7),
}


@pytest.mark.parametrize("name", ALL)
def test_they_find_the_same_minimum(name):
    """Iris, strongly convex: J is within ‖g‖²/(2 μ) of its minimum, μ the weight of the ridge."""
    X, C, _ = bundled("iris")
    problem = softmax_problem(X, C, weight=1e-2, controls=("W", "b"))
    reference = solve(Newton(tolerance=1e-13), problem)[1].value
    _, state, status = solve(ALL[name], problem)
    assert status is Status.CONVERGED
    assert state.value - reference <= state.gradient_norm**2 / (2 * 1e-2) + 1e-14


def sklearn_optimum(X, y, C):
    """Coefficients of scikit-learn's logistic regression, by its Newton method."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # at rounding its line search complains
        model = linear_model.LogisticRegression(C=C, solver="newton-cg", tol=1e-12, max_iter=1000)
        return model.fit(X, y)


@pytest.mark.parametrize("name", ["digits", "iris"])
def test_softmax_agrees_with_scikit_learn(name):
    """C Σ loss + ½‖W‖², the bias free: the objective to 1e-8."""
    X, C, y = bundled(name)
    problem = softmax_problem(X, C, weight=1.0, reduction="sum")
    model = sklearn_optimum(X, y, 1.0)
    theirs = problem.flatten({"fit": {"W": model.coef_, "b": model.intercept_}})
    theta, state, status = solve(NewtonCG(tolerance=1e-11, preconditioner="gram"), problem)
    assert status is Status.CONVERGED
    assert_allclose(state.value, problem.value(theirs), rtol=1e-8)
    assert state.value <= problem.value(theirs) * (1 + 1e-13)
    ours = problem.unflatten(theta)["fit"]["W"]
    assert_allclose(ours, model.coef_, atol=1e-4)


def test_logistic_agrees_with_scikit_learn():
    X, _, y = bundled("breast_cancer")
    problem = logistic_problem(X, y, weight=1.0, reduction="sum")
    model = sklearn_optimum(X, y, 1.0)
    theirs = problem.flatten({"fit": {"W": model.coef_, "b": model.intercept_}})
    for optimizer in (Newton(tolerance=1e-11), NewtonCG(tolerance=1e-11)):
        theta, state, status = solve(optimizer, problem)
        assert status is Status.CONVERGED
        assert_allclose(state.value, problem.value(theirs), rtol=1e-8)
        assert_allclose(theta, theirs, atol=1e-5)


def test_softmax_on_digits(rng):
    """The course: 3.3 to 3.9 % errors; bound 4 % by Newton–CG with a gradient norm of 1e-8."""
    X, C, y = bundled("digits")
    order, errors = rng.permutation(len(X)), []
    for fold in np.array_split(order, 5):
        train = np.setdiff1d(order, fold)
        problem = softmax_problem(X[train], C[train], weight=1e-2)
        theta, state, status = solve(NewtonCG(tolerance=1e-8, preconditioner="gram"), problem)
        assert status is Status.CONVERGED
        assert norm(problem.value_and_gradient(theta)[1]) <= 1e-8
        errors.append(np.mean(problem.output(theta, X[fold]).argmax(axis=1) != y[fold]))
        assert state.iteration < 20
    assert np.mean(errors) <= 0.04


@pytest.mark.parametrize("name", ["newton", "trust_region", "line_search", "lbfgs", "gram"])
@pytest.mark.parametrize("make", [softmax_problem, logistic_problem])
def test_separable_classes_have_no_minimiser(name, make, rng):
    """Without a penalty ‖W‖ grows for ever: 'unbounded', never 'converged'."""
    X = rng.standard_normal((60, 2))
    label = (X @ [3.0, 2.0] + 1 > 0).astype(int)
    targets = np.eye(2)[label] if make is softmax_problem else label
    theta, _, status = solve(ALL[name], make(X, targets))
    assert status is Status.UNBOUNDED
    assert norm(theta) > 10
    penalised = make(X, targets, weight=1e-4)
    assert solve(ALL[name], penalised)[2] is Status.CONVERGED


def test_classes_that_overlap_have_a_minimiser(rng):
    X = rng.standard_normal((60, 2))
    label = (X @ [3.0, 2.0] + 2 * rng.standard_normal(60) > 0).astype(int)
    assert solve(NewtonCG(tolerance=1e-10), logistic_problem(X, label))[2] is Status.CONVERGED


def test_newton_converges_quadratically():
    X, _, y = bundled("breast_cancer")
    problem = logistic_problem(X, y, weight=1e-2)
    optimizer, theta = Newton(tolerance=1e-14), np.zeros(problem.size)
    state, norms = optimizer.init(problem, theta), []
    for _ in range(8):
        norms.append(state.gradient_norm)
        theta, state = optimizer.step(problem, theta, state)
    small = [k for k in range(7) if 1e-7 < norms[k] < 1e-2]
    assert len(small) >= 2
    for k in small:  # ‖g₊‖ ≤ c ‖g‖², with a constant of the problem's own size
        assert norms[k + 1] <= 100 * norms[k] ** 2


def test_newton_refuses_too_many_unknowns():
    problem = logistic_problem(np.zeros((3, 50)), [0, 1, 0])
    with pytest.raises(InputError, match="newton_cg"):
        Newton(max_unknowns=50).init(problem, np.zeros(51))


@pytest.mark.parametrize("eigenvalues", [[1.0, 2.0, -3.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
def test_newton_descends_where_the_hessian_is_not_positive(eigenvalues, rng):
    Q = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    g = rng.standard_normal(3)
    d = newton_direction(Q @ np.diag(eigenvalues) @ Q.T, g)
    assert g @ d < 0


def test_forcing_terms_save_products():
    """Early systems are solved loosely: fewer products than with a forcing term of 1e-10."""
    X, C, _ = bundled("digits")
    problem = softmax_problem(X, C, weight=1e-3)
    _, state, _ = solve(NewtonCG(tolerance=1e-8), problem)
    first = NewtonCG(tolerance=1e-8)
    theta, early = first.step(problem, *(np.zeros(650), first.init(problem, np.zeros(650))))
    assert early.inner_iterations <= 5
    assert state.inner_iterations > 50
    assert problem.value(theta) < problem.value(np.zeros(650))


def test_a_gram_preconditioner_saves_products():
    digits = pytest.importorskip("sklearn.datasets").load_digits()
    problem = softmax_problem(digits.data / 16, np.eye(10)[digits.target], weight=1e-4)
    plain, gram = (
        solve(NewtonCG(tolerance=1e-9, preconditioner=kind), problem)[1]
        for kind in ("none", "gram")
    )
    assert gram.inner_iterations < 0.7 * plain.inner_iterations
    assert_allclose(gram.value, plain.value, rtol=1e-12)


def test_a_preconditioner_needs_a_linear_model():
    problem = logistic_problem(np.eye(3), [0, 1, 0])
    twice = problem.phases[0], problem.phases[0].__class__("other", problem.phases[0].dynamics)
    chain = problem.__class__(twice, problem.objective, problem.data)
    with pytest.raises(StructureError, match="'other'"):
        NewtonCG(preconditioner="gram").init(chain, np.zeros(chain.size))


@pytest.mark.parametrize("method", Method.__args__)
def test_scipy(method):
    X, _, y = bundled("breast_cancer")
    problem = logistic_problem(X, y, weight=1e-2)
    reference = solve(Newton(tolerance=1e-13), problem)[1].value
    _, state, status = solve(ScipyMinimize(method=method, tolerance=1e-6), problem)
    assert status is Status.CONVERGED
    assert_allclose(state.value, reference, rtol=1e-9)


@pytest.mark.parametrize("name", [n for n in ALL if n != "gradient_descent"])
def test_single_precision(name):
    X, C, _ = bundled("iris")
    problem = softmax_problem(X.astype(np.float32), C.astype(np.float32), weight=1e-2)
    optimizer = ALL[name].__class__(tolerance=1e-4)
    theta, _, status = solve(optimizer, problem, np.zeros(problem.size, np.float32))
    assert theta.dtype == np.float32
    assert status is Status.CONVERGED
