"""Every case file of the tree is checked and run; what its comment expects is asserted here."""

from pathlib import Path

import numpy as np
import pytest

import occore

CASES = sorted(Path("cases").rglob("*.toml"))


def name_of(path):
    return f"{path.parent.name}/{path.stem}"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs by the name of the case, each made once."""
    folder, made = tmp_path_factory.mktemp("runs"), {}

    def get(name):
        if name not in made:
            output = folder / f"{name.replace('/', '-')}.h5"
            made[name] = occore.run(Path("cases") / f"{name}.toml", output)
        return made[name]

    return get


@pytest.mark.parametrize("path", CASES, ids=name_of)
def test_a_case_runs_and_its_derivatives_are_right(runs, path):
    run = runs(name_of(path))
    assert run.status in ("solved", "converged", "iteration_limit")
    assert all(row["verdict"] != "FAIL" for row in run.checks)


@pytest.mark.parametrize("path", CASES, ids=name_of)
def test_a_case_opens_with_what_it_shows_and_what_to_expect(path):
    comment = path.read_text().partition("title =")[0]
    assert "# Shows:" in comment
    assert "# Expect:" in comment


def test_diabetes(runs):
    metrics = runs("02_least_squares/diabetes").result["metrics"]
    assert 0.45 < metrics["train"]["r_squared"] < 0.55
    assert metrics["held_out"]["r_squared"] > 0.4


def test_digits(runs):
    """Ridge regression on digits makes 6 to 7.5 % errors, depending on the split."""
    assert runs("02_least_squares/digits").result["metrics"]["held_out"]["error_rate"] < 0.08


def test_ill_conditioned(runs):
    run = runs("02_least_squares/ill_conditioned")
    gradient = run.history["gradient_norm"]
    assert run.status == "converged"
    assert gradient[2] > 10 * gradient[1]  # rounding spoils the step that ends it on paper
    assert len(gradient) > 3


def test_lqr(runs):
    """½ tanh(1), the solution of the Riccati equation; the discretization is of order 2 in u."""
    objective = runs("08_continuous/lqr").result["objective"]
    assert abs(objective - 0.3807970779778824) < 1e-8
    u = runs("08_continuous/lqr")["controls/regulate/u"]
    time = runs("08_continuous/lqr")["controls/regulate/time"]
    assert max(abs(u + np.sinh(1 - time) / np.cosh(1))) < 1e-3


def test_free_horizon(runs):
    run = runs("08_continuous/free_horizon")
    assert abs(run["controls/travel/horizon"] - 0.98) < 1e-6
    assert abs(run.result["objective"] - 1.98) < 1e-9


def test_orbit(runs):
    """Kepler's third law, up to the error of the leapfrog in the period, which is O(h²)."""
    run = runs("08_continuous/orbit")
    assert abs(run["controls/orbit/start"][0] - 3**0.5) < 1e-4


def test_the_trajectory_begins_at_the_unknown_start(tmp_path):
    case = occore.load_case(
        "cases/08_continuous/orbit.toml", settings=["run.record=['trajectory','controls']"]
    )
    run = occore.run(case, tmp_path / "orbit.h5", checks=False)
    assert run["trajectory/orbit/vy"][0, 0] == run["controls/orbit/start"][0]
