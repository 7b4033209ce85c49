"""E‖x_λ − x‖² = ‖bias‖² + tr cov, by Monte Carlo within three standard errors."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from occore_least_squares.bias_variance import bias_variance, sampled_errors
from occore_least_squares.datasets.gravity import Gravity

LAMBDAS = np.geomspace(1e-3, 10, 9)
DEVIATION = 0.1


def within(deviation_of_the_noise, L, rng, samples=2000):
    """|mean of the draws − the sum| in standard errors, for each λ."""
    A, x = Gravity(points=32).system()
    exact = bias_variance(A, L, x, DEVIATION, LAMBDAS)
    errors = sampled_errors(A, L, x, deviation_of_the_noise, LAMBDAS, samples, rng)
    standard_error = errors.std(axis=1, ddof=1) / samples**0.5
    return np.abs(errors.mean(axis=1) - exact.mean_square_error) / standard_error


@pytest.mark.parametrize("L", [np.eye(32), np.diff(np.eye(32), axis=0)], ids=["norm", "slope"])
def test_the_identity(L, rng):
    assert np.all(within(DEVIATION, L, rng) < 3)


def test_a_slide_writes_the_deviation_for_the_variance(rng):
    """Noise N(0, σ I), of variance σ, is not that of the identity, whose variance is σ²."""
    much = within(DEVIATION**0.5, np.eye(32), rng)[:6]  # where the variance is most of the error
    assert np.all(much > 30)


def test_bias_grows_and_variance_falls():
    A, x = Gravity(points=32).system()
    exact = bias_variance(A, np.eye(32), x, DEVIATION, LAMBDAS)
    assert np.all(np.diff(exact.squared_bias) > 0)
    assert np.all(np.diff(exact.variance) < 0)
    best = int(np.argmin(exact.mean_square_error))
    assert 0 < best < len(LAMBDAS) - 1


def test_both_parts_against_their_definitions():
    A, x = Gravity(points=8).system()
    exact = bias_variance(A, np.eye(8), x, DEVIATION, LAMBDAS)
    for lam, bias, variance in zip(LAMBDAS, exact.squared_bias, exact.variance, strict=True):
        inverse = np.linalg.solve(A.T @ A + lam * np.eye(8), A.T)
        np.testing.assert_allclose(bias, np.sum((inverse @ A @ x - x) ** 2), rtol=1e-9)
        np.testing.assert_allclose(variance, DEVIATION**2 * np.sum(inverse**2), rtol=1e-9)


def test_the_example_of_the_docs_draws(tmp_path, capsys):
    path = Path("docs/examples/bias_variance.py")
    spec = importlib.util.spec_from_file_location("bias_variance_example", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    example.main(tmp_path / "figure.png")
    assert "least mean square error" in capsys.readouterr().out
    assert (tmp_path / "figure.png").stat().st_size > 10_000
