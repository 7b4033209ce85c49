"""Control spaces: their order of approximation, their transposes, and refinement."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore.controls import evaluate
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.control_spaces.cubic_spline import CubicSpline
from occore_continuous.control_spaces.piecewise_constant import PiecewiseConstant
from occore_continuous.control_spaces.piecewise_linear import PiecewiseLinear

ORDERS = [(PiecewiseConstant, 1), (PiecewiseLinear, 2), (CubicSpline, 4)]
TIMES = (np.arange(400) + 0.5) / 400


def interpolation_error(space, function):
    """Largest error at many times of the member that agrees with a function at the nodes."""
    nodes = space.nodes(1)
    inside = np.clip(nodes, 1e-9, 1 - 1e-9)
    c = np.linalg.solve(space.basis(1, nodes, inside).toarray(), function(nodes))
    values = evaluate(space.basis(1, TIMES, TIMES), {"c": c})["c"]
    return np.max(np.abs(values - function(TIMES)))


@pytest.mark.parametrize(("cls", "order"), ORDERS, ids=lambda p: getattr(p, "__name__", p))
def test_order_of_approximation(cls, order):
    sizes = [8, 16, 32, 64]
    errors = [interpolation_error(cls(intervals=k), lambda s: np.sin(3 * s)) for k in sizes]
    slope = -np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    assert abs(slope - order) < 0.15


@pytest.mark.parametrize("cls", [PiecewiseConstant, PiecewiseLinear, CubicSpline])
def test_prolongation_to_a_refined_grid_is_exact(cls, rng):
    coarse, fine = cls(intervals=3), cls(intervals=6)
    c = {"u": rng.standard_normal((coarse.size(1), 2))}
    d = coarse.prolong(c, 1, fine, 1)
    inside = TIMES
    a = evaluate(coarse.basis(1, TIMES, inside), c)["u"]
    b = evaluate(fine.basis(1, TIMES, inside), d)["u"]
    assert_allclose(a, b, atol=1e-12)


@pytest.mark.parametrize("space", [Constant(), *(cls(intervals=5) for cls, _ in ORDERS)])
def test_the_basis_sums_to_one(space):
    assert_allclose(space.basis(1, TIMES, TIMES).sum(axis=1), 1.0, rtol=1e-14)


def test_one_sided_limits_at_a_jump():
    space = PiecewiseConstant(intervals=2)
    both = space.basis(1, np.array([0.5, 0.5]), np.array([0.5 - 1e-7, 0.5 + 1e-7])).toarray()
    assert np.array_equal(both, [[1, 0], [0, 1]])


def test_the_spline_has_its_values_at_the_ends():
    basis = CubicSpline(intervals=4).basis(1, np.array([0.0, 1.0]), np.array([0.0, 1.0])).toarray()
    assert_allclose(basis[0], [1, 0, 0, 0, 0, 0, 0], atol=1e-15)
    assert_allclose(basis[1], [0, 0, 0, 0, 0, 0, 1], atol=1e-15)
