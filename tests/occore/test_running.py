"""A running cost takes nothing from its field: Jacobian, splitting and linear part stay."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse

from occore.phase import Phase
from occore.running import NoCost, WithCost
from occore.testing.comparison import close
from occore.testing.fields import START, Field
from occore.testing.terms import Effort
from occore.time_scaled import HORIZON, TimeScaled
from occore_continuous.control_spaces.constant import Constant

T = 0.7
X = np.pad(START["x"], ((0, 0), (0, 1)), constant_values=2.0)
U = {name: np.asarray(value) for name, value in START.items() if name != "x"}
CARRIED = WithCost(Field(), Effort(), (4,))


class Sparse:
    """The field with its Jacobian as one sparse matrix."""

    def __getattr__(self, name):
        return getattr(Field(), name)

    def jacobian(self, t, x, u):
        return scipy.sparse.block_diag(list(Field().jacobian(t, x, u)), format="csr")


def tangents(field):
    """f_x (samples, n, n), a column for each unit vector."""
    _, part = field.linearize(T, X, U)
    still = {name: 0 * value for name, value in U.items()}
    return np.stack([part.jvp(np.tile(e, (2, 1)), still) for e in np.eye(5)], axis=2)


def test_jacobian():
    np.testing.assert_allclose(CARRIED.jacobian(T, X, U), tangents(CARRIED), rtol=1e-14)


def test_jacobian_of_a_linear_field_at_complex_states():
    """The matrix of the field stays real, the gradient of the cost does not."""

    class Linear:
        def jacobian(self, t, x, u):
            return np.tile(Field().linear_part(), (len(x), 1, 1))

    J = replace(CARRIED, field=Linear()).jacobian(T, X + 1j, U)
    _, part = CARRIED.cost.linearize(T, X[:, :4] + 1j, U)
    np.testing.assert_array_equal(J[:, 4, :4], part.vjp(np.ones(2))[0])


def test_sparse_jacobian():
    J = replace(CARRIED, field=Sparse()).jacobian(T, X, U)
    assert J.format == "csr"
    np.testing.assert_allclose(J.toarray(), scipy.linalg.block_diag(*tangents(CARRIED)), rtol=1e-14)


def test_splitting():
    explicit, implicit = CARRIED.splitting()
    np.testing.assert_allclose(explicit(T, X, U) + implicit(T, X, U), CARRIED(T, X, U), rtol=1e-14)
    assert implicit.cost == NoCost()
    assert np.all(implicit(T, X, U)[:, -1] == 0)


def test_linear_part():
    M = CARRIED.linear_part()
    np.testing.assert_array_equal(M[:4, :4], Field().linear_part())
    assert M.shape == (5, 5) and not M[4].any() and not M[:, 4].any()


def test_what_the_field_has_not_is_not_made_up():
    class Bare:
        jacobian = splitting = linear_part = None

    carried = replace(CARRIED, field=Bare())
    assert carried.jacobian is carried.splitting is carried.linear_part is None
    assert TimeScaled(Bare()).splitting is None


def test_splitting_of_a_field_with_a_horizon():
    field, u = TimeScaled(CARRIED), U | {HORIZON: np.array(3.0)}
    parts = field.splitting()
    assert all(part.controls == field.controls for part in parts)
    np.testing.assert_allclose(sum(p(T, X, u) for p in parts), field(T, X, u), rtol=1e-14)


@pytest.mark.parametrize("name", ["ars222", "etdrk4", "sdirk3", "dopri8"])
def test_methods_agree_on_a_cost(host, name):
    """To the errors of 200 steps over one unit of time, of order h²."""
    methods = (host.registry["discretization", kind].cls() for kind in (name, "rk4"))
    u = {key: value if key == "g" else value[None] for key, value in U.items()}
    found, expected = (
        Phase("run", CARRIED, method, 200, 1.0, space=Constant())(X, u)[:, -1] for method in methods
    )
    close("cost", found, expected, 1e-5)
