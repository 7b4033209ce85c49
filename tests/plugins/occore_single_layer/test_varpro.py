"""Variable projection: the reduced map and its derivatives, inner accuracy, runs, structure."""

import numpy as np
import pytest
import sympy
from numpy.testing import assert_allclose

from occore import Data, InputError, Phase, Problem, Status, StructureError, require_structure
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.linear import Linear
from occore_least_squares.tikhonov import Tikhonov
from occore_single_layer.datasets.inverse_crime import InverseCrime
from occore_single_layer.dense import Dense
from occore_single_layer.gauss_newton import GaussNewton
from occore_single_layer.inner_problem import last_layer
from occore_single_layer.reduced import Reduced, outer_gradient, separated
from occore_single_layer.varpro import VarPro
from tests.plugins.occore_single_layer.conftest import classification, regression, solve

PROBLEMS = [regression, classification]

SAMPLES = [
    [sympy.Rational(3, 10), sympy.Rational(-7, 10)],
    [sympy.Rational(11, 10), sympy.Rational(2, 5)],
]
TARGETS = [[sympy.Rational(1, 2)], [sympy.Rational(-1, 5)]]


def reduced(problem, accuracy=1e-9):
    """φ, its inner problem solved in full from w = 0, and the number of entries of θ₁."""
    parts = separated(problem)
    cut = parts.opening.size
    return Reduced(parts, np.zeros(problem.size - cut), accuracy, 0.0), cut


def matrix(product, size):
    return np.stack([product(e) for e in np.eye(size)], axis=1)


@pytest.mark.parametrize("make", PROBLEMS)
def test_the_gradient_passes_a_taylor_test(make, rng):
    """|φ(θ₁ + ε d) − φ − ε ∇φᵀd| falls as ε²."""
    phi, cut = reduced(make(rng))
    theta, d = rng.standard_normal(cut), rng.standard_normal(cut)
    at, steps = phi.at(theta), 2.0 ** -np.arange(4, 11)
    slope = at.gradient() @ d
    remainders = [abs(phi.at(theta + e * d).value - at.value - e * slope) for e in steps]
    fitted = np.polyfit(np.log(steps), np.log(remainders), 1)[0]
    assert abs(fitted - 2) < 0.05


@pytest.mark.parametrize("make", PROBLEMS)
def test_products_are_those_of_the_schur_complement(make, rng):
    problem = make(rng)
    phi, cut = reduced(problem)
    at = phi.at(rng.standard_normal(cut))
    theta = np.concatenate([at.theta, at.inner.w])
    B = matrix(problem.at(theta).gauss_newton_product, problem.size)
    B11, B12, B22 = B[:cut, :cut], B[:cut, cut:], B[cut:, cut:]
    S = matrix(at.gauss_newton_product, cut)
    assert_allclose(S, B11 - B12 @ np.linalg.pinv(B22) @ B12.T, atol=1e-9 * np.max(abs(B)))
    assert_allclose(S, S.T, atol=1e-9 * np.max(abs(S)))
    assert np.linalg.eigvalsh((S + S.T) / 2)[0] > -1e-9 * np.max(abs(S))


def test_least_squares_gives_the_matrix_of_kaufman(rng):
    """J₁ᵀ(I − AA⁺)J₁ with the Jacobian of the residual; without a penalty, to rounding."""
    problem = regression(rng, weight=0.0, noise=0.3)
    phi, cut = reduced(problem)
    at = phi.at(rng.standard_normal(cut))
    J = matrix(problem.at(np.concatenate([at.theta, at.inner.w])).residual_jvp, problem.size)
    J1, A = J[:, :cut], J[:, cut:]
    projected = J1 - A @ (np.linalg.pinv(A) @ J1)
    assert_allclose(matrix(at.gauss_newton_product, cut), projected.T @ projected, atol=1e-11)


def test_products_are_hessian_products_where_the_residual_vanishes(rng):
    """Central differences of ∇φ, at a θ₁ that leaves no residual."""
    inputs = rng.standard_normal((30, 2))
    phases = (Phase("hidden", Dense((2,), 3)), Phase("fit", Linear((3,), 2)))
    truth = rng.standard_normal(17)
    empty = Problem(phases, LeastSquares(), Data(inputs, np.zeros((30, 2))))
    problem = Problem(phases, LeastSquares(), Data(inputs, empty.output(truth)))
    phi, cut = reduced(problem)
    d, e = rng.standard_normal(cut), 1e-5
    ahead, behind = (phi.at(truth[:cut] + s * e * d).gradient() for s in (1, -1))
    product = phi.at(truth[:cut]).gauss_newton_product(d)
    assert_allclose(product, (ahead - behind) / (2 * e), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("make", PROBLEMS)
def test_the_gradient_is_as_wrong_as_the_inner_problem_is_unsolved(make, rng):
    """‖g₁ − ∇φ‖ is proportional to ‖g₂‖: slope one."""
    problem = make(rng)
    phi, cut = reduced(problem, accuracy=1e-12)
    exact = phi.at(rng.standard_normal(cut))
    inner = exact.inner.at.problem
    direction = rng.standard_normal(exact.inner.w.shape)
    outer, inner_norms = [], []
    for e in 10.0 ** -np.arange(1, 7):
        w = exact.inner.w + e * direction
        at = inner.at(w)
        g = outer_gradient(exact.opening, at, last_layer(inner, w))
        outer.append(np.linalg.norm(g - exact.gradient()))
        inner_norms.append(np.linalg.norm(at.gradient()))
    slope = np.polyfit(np.log(inner_norms), np.log(outer), 1)[0]
    assert abs(slope - 1) < 0.05


def test_the_inner_accuracy_is_kept(rng):
    """The gradient is off by less than the tolerance says, for loose and for tight ones."""
    problem = classification(rng)
    exact, cut = reduced(problem, accuracy=1e-12)
    theta = rng.standard_normal(cut)
    g = exact.at(theta).gradient()
    for accuracy in (0.5, 0.1, 1e-2, 1e-4):
        found = reduced(problem, accuracy)[0].at(theta).gradient()
        assert np.linalg.norm(found - g) <= accuracy * np.linalg.norm(g)


def symbolic_phi(k):
    """φ of two nodes for two samples of two features: the inner problem is solved symbolically."""
    K, b = sympy.Matrix(2, 2, k[:4]), sympy.Matrix(k[4:])
    rows = [(K * sympy.Matrix(y) + b).applyfunc(sympy.tanh).T for y in SAMPLES]
    Z, c, ridge = sympy.Matrix.vstack(*rows), sympy.Matrix(TARGETS), sympy.Rational(1, 10)
    normal = Z.T * Z + ridge * sympy.eye(2)
    W = normal.adjugate() * Z.T * c / normal.det()
    r = Z * W - c
    return (r.dot(r) + ridge * W.dot(W)) / 2


def test_the_projected_gradient_is_that_of_sympy():
    """Along each unknown in turn, the others being numbers of forty digits."""
    at = [sympy.Rational(n, 10) for n in (2, -5, 9, 4, 1, -3)]
    gradient, t = [], sympy.Symbol("t")
    for i in range(6):
        k = [sympy.N(value, 40) for value in at]
        k[i] = t
        gradient.append(float(symbolic_phi(k).diff(t).subs(t, sympy.N(at[i], 40))))

    phases = (Phase("hidden", Dense((2,), 2)), Phase("fit", Linear((2,), 1, bias=False)))
    objective = LeastSquares() + 0.1 * Tikhonov(controls=("W",))
    data = Data(np.array(SAMPLES, float), np.array(TARGETS, float))
    found = reduced(Problem(phases, objective, data))[0].at(np.array(at, float))
    assert_allclose(found.value, float(symbolic_phi([sympy.N(v, 40) for v in at])), rtol=1e-12)
    assert_allclose(found.gradient(), gradient, rtol=1e-11)


@pytest.mark.parametrize(("make", "tolerance"), [(regression, 1e-8), (classification, 1e-3)])
def test_it_ends_where_the_gradient_of_all_controls_vanishes(make, tolerance, rng):
    problem = make(rng)
    theta = problem.initial_controls(rng)
    found, state, status = solve(VarPro(tolerance=tolerance), problem, theta)
    assert status is Status.CONVERGED
    small = tolerance * max(1, state.initial_gradient_norm)
    assert np.linalg.norm(problem.value_and_gradient(found)[1]) <= small


def test_it_takes_fewer_iterations_than_gauss_newton(rng):
    problem = regression(rng)
    theta = problem.initial_controls(rng)
    iterations = solve(VarPro(tolerance=1e-8), problem, theta)[1].iteration
    limit = GaussNewton(tolerance=1e-8, max_iterations=iterations)
    assert solve(limit, problem, theta)[2] is Status.ITERATION_LIMIT


def test_the_first_iteration_solves_for_the_last_layer_alone(rng):
    problem = classification(rng)
    theta = problem.initial_controls(rng)
    method, cut = VarPro(), separated(problem).opening.size
    new, state = method.step(problem, theta, method.init(problem, theta))
    assert np.array_equal(new[:cut], theta[:cut])
    assert state.value < problem.value(theta)
    report = method.report(problem, new, state)["variable_projection"]
    assert report["inner_gradient_norm"] < 0.1 * report["outer_gradient_norm"]


def test_no_features_are_computed_twice(rng):
    problem, points = classification(rng), []
    theta, at = problem.initial_controls(rng), Problem.at
    opening = separated(problem).opening

    def recorded(self, theta):
        if self is opening:
            points.append(theta.copy())
        return at(self, theta)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Problem, "at", recorded)
        solve(VarPro(max_iterations=10), problem, theta)
    assert len(points) > 3
    assert len(np.unique(points, axis=0)) == len(points)


def test_rank_deficient_features_are_projected(rng):
    """Two equal nodes: the w of minimum norm, and products that leave the rest alone."""
    inputs = rng.standard_normal((20, 2))
    phases = (Phase("hidden", Dense((2,), 2)), Phase("fit", Linear((2,), 1)))
    problem = Problem(phases, LeastSquares(), Data(inputs, np.sin(inputs[:, :1])))
    phi, cut = reduced(problem)
    node = rng.standard_normal(3)
    theta = np.concatenate([node[:2], node[:2], node[2:], node[2:]])
    at = phi.at(theta)
    assert at.inner.w[0] == pytest.approx(at.inner.w[1])
    S = matrix(at.gauss_newton_product, cut)
    assert np.all(np.isfinite(S))
    assert np.linalg.eigvalsh((S + S.T) / 2)[0] > -1e-10


def test_what_is_not_separable_is_refused(rng):
    problem = classification(rng)
    hidden, fit = problem.phases
    for phases, culprit in (((fit,), "before 'fit'"), ((fit, hidden), "'hidden'")):
        spoiled = Problem(phases, problem.objective, problem.data)
        with pytest.raises(StructureError, match=culprit):
            require_structure(spoiled, "separable")
    with pytest.raises(InputError, match="max_unknowns"):
        VarPro(max_unknowns=10).init(problem, problem.initial_controls(rng))


def test_an_inverse_crime_is_undone():
    """Data of 500 samples made by 40 nodes: from weights that are off by a hundredth."""
    crime, rng = InverseCrime(), np.random.default_rng(0)
    _, u, W = crime.draw(rng)
    phases = (Phase("hidden", Dense((50,), 40)), Phase("fit", Linear((40,), 10, bias=False)))
    data = crime.load((), np.random.default_rng(0))
    problem = Problem(phases, LeastSquares("mean"), data)
    near = {name: value + 0.01 * rng.standard_normal(value.shape) for name, value in u.items()}
    start = problem.flatten({"hidden": near, "fit": {"W": 0 * W}})
    method = VarPro(tolerance=1e-9, max_inner=200, max_iterations=20)
    theta, state, status = solve(method, problem, start)
    assert status is Status.CONVERGED
    assert state.value < 1e-14 * problem.value(start)
    assert_allclose(problem.unflatten(theta)["fit"]["W"], W, atol=1e-5)
