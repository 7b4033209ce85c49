"""Trust regions on functions that are not convex: steps, their counts, and what is kept."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore import Data, Phase, Problem, Status
from occore_classification.kept_evaluation import evaluation_of
from occore_classification.newton_cg import NewtonCG
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.linear import Linear
from occore_single_layer.dense import Dense
from tests.plugins.occore_classification.conftest import solve


def two_weights():
    """½ Σ (w tanh(k x) − c)² over three points, of the two weights (k, w): a saddle at zero."""
    x = np.array([[-1.0], [0.5], [2.0]])
    phases = (
        Phase("hidden", Dense((1,), 1, bias=False)),
        Phase("fit", Linear((1,), 1, bias=False)),
    )
    return Problem(phases, LeastSquares(), Data(x, 1.5 * np.tanh(0.8 * x)))


def test_newton_leaves_a_saddle_along_negative_curvature():
    problem, start = two_weights(), np.array([1e-3, 1e-3])
    H = np.stack([problem.hessian_product(start, e) for e in np.eye(2)])
    assert np.linalg.eigvalsh(H)[0] < 0
    theta, _, status = solve(NewtonCG(tolerance=1e-10), problem, start)
    assert status is Status.CONVERGED
    assert_allclose(abs(theta), [0.8, 1.5], rtol=1e-8)


@pytest.mark.parametrize("start", [(1e-3, 1e-3), (4.0, -2.0), (0.1, 5.0)])
def test_nothing_is_evaluated_twice(start):
    """A step has one forward sweep for each trial, one adjoint, and two sweeps a product."""
    problem, optimizer, theta = two_weights(), NewtonCG(tolerance=1e-10), np.array(start)
    counts, state = problem.counts, optimizer.init(problem, np.array(start))
    assert (counts.forward, counts.tangent, counts.adjoint) == (1, 0, 1)
    trials, at = [], Problem.at
    points = []

    def recorded(self, theta):
        points.append(theta.copy())
        return at(self, theta)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Problem, "at", recorded)
        while optimizer.finished(problem, theta, state) is None:
            before = counts.forward
            theta, state = optimizer.step(problem, theta, state)
            trials.append(counts.forward - before)
    assert len(np.unique(points, axis=0)) == len(points)  # no point twice
    assert counts.tangent == state.inner_iterations
    assert counts.adjoint == 1 + state.iteration + state.inner_iterations
    assert sum(trials) == len(points)


def test_a_step_that_raises_the_objective_is_shortened():
    """From far out the first Newton step is too long: J falls all the same, in every iteration."""
    problem, optimizer, theta = two_weights(), NewtonCG(tolerance=1e-10), np.array([0.1, 5.0])
    state, forward = optimizer.init(problem, theta), 1
    shortened = 0
    while optimizer.finished(problem, theta, state) is None:
        theta, after = optimizer.step(problem, theta, state)
        assert after.value < state.value or after.gradient_norm < 1e-8
        if problem.counts.forward - forward > 1:
            shortened += 1
            assert after.radius <= after.step_length * (1 + 1e-12)
        state, forward = after, problem.counts.forward
    assert shortened > 0


def test_a_resumed_run_counts_no_evaluation_of_its_own():
    problem, other = two_weights(), two_weights()
    theta = np.array([0.3, 0.4])
    NewtonCG().init(problem, theta)
    kept, remade = evaluation_of(problem, theta), evaluation_of(other, theta)
    assert other.counts.forward == 0
    assert np.array_equal(kept.gradient(), remade.gradient())
