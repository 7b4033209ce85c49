"""Truncated conjugate gradients: exact steps, the border, negative curvature, preconditioning."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore_classification.conjugate_gradients import model_step


@pytest.fixture
def quadratic(rng):
    Q = np.linalg.qr(rng.standard_normal((8, 8)))[0]
    return Q @ np.diag(np.logspace(0, 3, 8)) @ Q.T, rng.standard_normal(8)


def test_it_solves_a_positive_system(quadratic):
    H, g = quadratic
    step = model_step(lambda v: H @ v, g, accuracy=1e-10, max_iterations=100)
    exact = -np.linalg.solve(H, g)
    assert_allclose(step.p, exact, rtol=1e-8)
    assert_allclose(step.decrease, -(g @ exact + exact @ H @ exact / 2), rtol=1e-10)
    assert_allclose(step.length, np.linalg.norm(exact), rtol=1e-8)
    assert not step.on_border


def test_the_right_preconditioner_needs_one_iteration(quadratic):
    H, g = quadratic
    inverse = np.linalg.inv(H)
    step = model_step(
        lambda v: H @ v, g, accuracy=1e-8, max_iterations=9, precondition=lambda v: inverse @ v
    )
    assert step.iterations == 1
    assert_allclose(step.p, -inverse @ g, rtol=1e-8)
    assert_allclose(step.length, np.sqrt(step.p @ H @ step.p), rtol=1e-10)


@pytest.mark.parametrize("radius", [1e-3, 0.05, 0.5])
def test_a_step_ends_on_the_border(quadratic, radius):
    H, g = quadratic
    M = np.diag(np.linspace(1, 5, 8))
    step = model_step(
        lambda v: H @ v,
        g,
        radius=radius,
        accuracy=1e-12,
        max_iterations=50,
        precondition=lambda v: v / np.diag(M),
    )
    assert step.on_border
    assert_allclose(np.sqrt(step.p @ M @ step.p), radius, rtol=1e-9)
    assert step.length == pytest.approx(radius)
    cauchy = -(M_inverse_g := g / np.diag(M))
    alpha = min(radius / np.sqrt(cauchy @ M @ cauchy), (g @ M_inverse_g) / (cauchy @ H @ cauchy))
    assert step.decrease >= -(alpha * g @ cauchy + alpha**2 * cauchy @ H @ cauchy / 2) - 1e-14


def test_negative_curvature(quadratic):
    H, g = quadratic
    H = H - 50 * np.eye(8)
    bordered = model_step(lambda v: H @ v, g, radius=2.0, accuracy=1e-12, max_iterations=50)
    assert bordered.on_border
    assert_allclose(np.linalg.norm(bordered.p), 2.0, rtol=1e-9)
    free = model_step(lambda v: H @ v, g, accuracy=1e-12, max_iterations=50)
    assert g @ free.p < 0
    concave = model_step(lambda v: -v, g, accuracy=1e-12, max_iterations=50)
    assert_allclose(concave.p, -g)


def test_a_gradient_within_the_accuracy_gives_no_step():
    step = model_step(lambda v: v, np.zeros(3), accuracy=0.0, max_iterations=5)
    assert (step.iterations, step.decrease) == (0, 0.0)
