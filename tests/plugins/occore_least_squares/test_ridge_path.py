"""The path of Tikhonov's solutions: against one solve for each λ, and the choices of λ."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import occore
from occore import ComputationError, InputError, StructureError, dense_least_squares
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.qr import QR
from occore_least_squares.ridge_path import RidgePath
from occore_least_squares.standard_form import tikhonov_path
from occore_least_squares.tikhonov import Tikhonov

LAMBDAS = np.geomspace(1e-4, 1e3, 12)


def matrices(name, rng):
    """A, B, L: with a null space of L, with a wide A, with two outputs."""
    A, B = rng.standard_normal((30, 6)), rng.standard_normal((30, 2))
    if name == "wide":
        return A.T.copy(), B[:6], np.eye(30)
    return (
        A,
        B,
        {
            "identity": np.eye(6),
            "second_difference": np.diff(np.eye(6), 2, axis=0),
            "without the last": np.eye(6)[:-1],
            "redundant": np.vstack([np.eye(6), np.diff(np.eye(6), axis=0)]),
            "diagonal": np.diag([1.0, 2, 3, 4, 5, 6]),
        }[name],
    )


NAMES = ["identity", "second_difference", "without the last", "redundant", "diagonal", "wide"]


def by_normal_equations(A, B, L, lam):
    H = A.T @ A + lam * L.T @ L
    return np.linalg.solve(H, A.T @ B), A @ np.linalg.solve(H, A.T)


@pytest.mark.parametrize("name", NAMES)
def test_the_path_is_one_solve_for_each_weight(name, rng):
    A, B, L = matrices(name, rng)
    path = tikhonov_path(A, B, L)
    residual, seminorm = path.squares(LAMBDAS)
    for place, lam in enumerate(LAMBDAS):
        expected, hat = by_normal_equations(A, B, L, lam)
        assert_allclose(path.coefficients(LAMBDAS)[place], expected, rtol=1e-8, atol=1e-10)
        assert_allclose(residual[place], np.sum((A @ expected - B) ** 2), rtol=1e-7)
        assert_allclose(seminorm[place], np.sum((L @ expected) ** 2), rtol=1e-8)
        freedom = path.degrees_of_freedom(LAMBDAS)[place]
        assert_allclose(freedom, np.trace(hat), rtol=1e-8)
        gcv = len(A) * np.sum((A @ expected - B) ** 2) / (len(A) - np.trace(hat)) ** 2
        assert_allclose(path.gcv(LAMBDAS)[place], gcv, rtol=1e-6)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "wide"])
def test_leave_one_out_is_the_fit_without_each_sample(name, rng):
    A, B, L = matrices(name, rng)
    found = tikhonov_path(A, B, L).leave_one_out(A, B, LAMBDAS)
    for place, lam in enumerate(LAMBDAS):
        errors = []
        for i in range(len(A)):
            rest = np.delete(np.arange(len(A)), i)
            theta, _ = by_normal_equations(A[rest], B[rest], L, lam)
            errors.append((A[i] @ theta - B[i]) ** 2)
        assert_allclose(found[place], np.mean(errors), rtol=1e-8)


@pytest.mark.parametrize("name", ["identity", "second_difference"])
def test_the_curvature_is_that_of_the_curve(name, rng):
    """Against central differences of the log-log curve in log λ: h² is 1e-4, rounding ε/h³ 1e-9."""
    A, B, L = matrices(name, rng)
    path, h, lambdas = tikhonov_path(A, B, L), 1e-2, np.geomspace(0.1, 1e3, 12)

    def curve(tau):
        return np.log(np.stack(path.squares(np.exp(tau)))) / 2

    tau = np.log(lambdas)
    ahead, here, behind = (curve(tau + s) for s in (h, 0, -h))
    d1, d2 = (ahead - behind) / (2 * h), (ahead - 2 * here + behind) / h**2
    expected = (d1[0] * d2[1] - d2[0] * d1[1]) / (d1[0] ** 2 + d1[1] ** 2) ** 1.5
    assert_allclose(path.curvature(lambdas), expected, rtol=1e-3, atol=1e-6)


def test_what_no_weight_determines_is_refused():
    A = np.array([[1.0, 1.0], [1.0, 1.0], [2.0, 2.0]])
    with pytest.raises(ComputationError, match="do not determine the controls"):
        tikhonov_path(A, np.ones((3, 1)), np.array([[1.0, 1.0]]))


def test_a_sample_that_cannot_be_left_out_is_named():
    """The second column is known from the last sample alone, and has no penalty."""
    A = np.array([[1.0, 0.0], [2.0, 0.0], [1.0, 3.0]])
    path = tikhonov_path(A, np.ones((3, 1)), np.array([[1.0, 0.0]]))
    with pytest.raises(ComputationError, match="sample 2 cannot be left out"):
        path.leave_one_out(A, np.ones((3, 1)), LAMBDAS)


def test_gcv_where_every_sample_has_a_coefficient_of_its_own():
    """No residual and no degree of freedom is left over: there is nothing to judge by."""
    path = tikhonov_path(np.eye(2), np.ones((2, 1)), np.zeros((1, 2)))
    assert np.all(path.gcv(LAMBDAS) == np.inf)


def deblurring(blurred, rng, linear_problem, deviation=1e-2):
    A, x, b = blurred
    noise = deviation * rng.standard_normal(len(b))
    objective = LeastSquares() + 1.0 * Tikhonov(operator="second_difference")
    return linear_problem(A, (b + noise)[:, None], objective=objective), x, noise


@pytest.mark.parametrize("choose", ["l_curve", "gcv", "leave_one_out", "discrepancy"])
def test_the_choice_is_near_the_best_of_the_path(choose, blurred, rng, linear_problem, solve):
    """On twenty noises: the error is at most thrice the least on the path in the median."""
    ratios = []
    for _ in range(20):
        problem, x, noise = deblurring(blurred, rng, linear_problem)
        level = float(np.linalg.norm(noise)) if choose == "discrepancy" else None
        optimizer = RidgePath(choose, smallest=1e-8, largest=1e4, points=60, noise_level=level)
        theta, state, _ = solve(optimizer, problem)
        errors = np.linalg.norm(state.thetas - x, axis=1)
        ratios.append(np.linalg.norm(theta - x) / errors.min())
        assert errors.max() > 5 * errors.min()  # there is something to choose
    assert np.median(ratios) < 3


def test_the_discrepancy_principle_takes_the_largest_weight_at_the_noise(
    blurred, rng, linear_problem, solve
):
    problem, _, noise = deblurring(blurred, rng, linear_problem)
    level = float(np.linalg.norm(noise))
    optimizer = RidgePath(choose="discrepancy", noise_level=level, smallest=1e-8, points=80)
    _, state, _ = solve(optimizer, problem)
    misfit = [np.linalg.norm(problem.output(t) - problem.data.targets) for t in state.thetas]
    assert misfit[state.chosen] <= level < misfit[state.chosen + 1]
    with pytest.raises(ComputationError, match="not at the noise level"):
        solve(RidgePath(choose="discrepancy", noise_level=1e-9), problem)


def test_validation_judges_by_samples_that_the_fit_does_not_know(rng, linear_problem, solve):
    A, B = rng.standard_normal((40, 8)), rng.standard_normal((40, 2))
    problem = linear_problem(A, B, bias=True, objective=LeastSquares() + Tikhonov())
    optimizer = RidgePath(choose="validation", validation=0.3, seed=5, points=7)
    theta, state, _ = solve(optimizer, problem)
    order = np.random.default_rng(5).permutation(40)
    judge, fit = problem.subset(np.sort(order[:12])), problem.subset(np.sort(order[12:]))
    for lam, criterion in zip(state.lambdas, state.criterion, strict=True):
        weighed = linear_problem(
            *(fit.data.inputs, fit.data.targets),
            bias=True,
            objective=LeastSquares() + float(lam) * Tikhonov(),
        )
        found, _, _ = solve(QR(), weighed)
        error = np.mean((judge.output(found) - judge.data.targets) ** 2)
        assert_allclose(criterion, error, rtol=1e-7)
    best = float(state.lambdas[np.argmin(state.criterion)])
    whole = linear_problem(A, B, bias=True, objective=LeastSquares() + best * Tikhonov())
    assert_allclose(theta, solve(QR(), whole)[0], rtol=1e-7, atol=1e-10)


def test_weights_of_the_case_are_multiplied(rng, linear_problem, solve):
    A, B = rng.standard_normal((20, 4)), rng.standard_normal((20, 1))

    def thetas(weight, scale):
        problem = linear_problem(A, B, objective=LeastSquares() + weight * Tikhonov())
        _, state, _ = solve(RidgePath(smallest=scale, largest=100 * scale, points=5), problem)
        return state.thetas

    assert_allclose(thetas(1.0, 1.0), thetas(10.0, 0.1), rtol=1e-10)


def test_wrong_options(rng, linear_problem):
    with pytest.raises(InputError, match="goes with a noise_level"):
        RidgePath(choose="discrepancy")
    with pytest.raises(InputError, match="below largest"):
        RidgePath(smallest=1.0, largest=1.0)
    problem = linear_problem(rng.standard_normal((5, 2)), np.zeros((5, 1)))
    with pytest.raises(StructureError, match="has none"):
        RidgePath().init(problem, np.zeros(2))


def test_the_path_lies_in_the_run_file(tmp_path):
    case = occore.load_case(
        "cases/02_least_squares/diabetes.toml", settings=["optimizer.kind=ridge_path"]
    )
    run = occore.run(case, tmp_path / "path.h5")
    path = run.result["path"]
    assert path["controls"]["fit"]["W"].shape == (50, 1, 10)
    assert path["chosen_lambda"] == path["lambda"][path["chosen"]]
    assert path["chosen"] == np.argmin(path["gcv"])
    system = dense_least_squares(case.build().problem)
    theta = np.append(run["controls/fit/W"].ravel(), run["controls/fit/b"])
    along = path["controls"]["fit"]["W"][path["chosen"], 0]
    assert_allclose(along, theta[:10], rtol=1e-12)
    assert_allclose(
        path["residual_norm"][path["chosen"]], np.linalg.norm(system.A @ theta[:, None] - system.B)
    )
