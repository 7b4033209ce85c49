"""The shared array operations of a step."""

import numpy as np
import pytest

from occore_continuous.discretizations.stages import combine, gather, weighted_sum


def plain(base, terms):
    for w, a in terms:
        base = base + w * a
    return base


@pytest.mark.parametrize("count", [0, 1, 2, 5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_sums_by_blas_agree_with_the_formula(rng, count, dtype):
    base, *arrays = rng.standard_normal((count + 1, 3, 4)).astype(dtype)
    weights = rng.standard_normal(count).tolist()
    copies = [base.copy(), *(a.copy() for a in arrays)]
    terms = list(zip(weights, arrays, strict=True))
    total = combine(base, terms)
    assert total.dtype == dtype
    # a fused product or not: half a unit of the last place of each partial sum, here below 10
    np.testing.assert_allclose(total, plain(base, terms), atol=10 * count * np.finfo(dtype).eps)
    assert total.tobytes() == combine(base, terms).tobytes()
    assert all(np.array_equal(a, b) for a, b in zip([base, *arrays], copies, strict=True))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_weighted_sums_start_from_nothing(rng, count):
    arrays, weights = rng.standard_normal((count, 3, 4)), rng.standard_normal(count).tolist()
    total = weighted_sum(list(zip(weights, arrays, strict=True)))
    np.testing.assert_allclose(total, np.tensordot(weights, arrays, 1), atol=1e-14)


def test_mixed_types_are_promoted(rng):
    base, a = rng.standard_normal((2, 3, 4))
    assert combine(base, [(0.5, 1j * a)]).dtype == np.complex128
    assert combine(1j * base, [(0.5, a)]).dtype == np.complex128


def test_other_shapes_are_broadcast(rng):
    base, a = rng.standard_normal((3, 4)), rng.standard_normal((1, 4))
    np.testing.assert_array_equal(combine(base, [(0.5, a)]), base + 0.5 * a)
    assert combine(base[:0], [(0.5, base[:0])]).shape == (0, 4)


def test_stages_that_share_an_abscissa_are_added():
    parts = [{"u": np.array([1.0])}, {"u": np.array([2.0])}, {"u": np.array([4.0])}]
    np.testing.assert_array_equal(gather(parts, (0, 1, 1), 3)["u"], [[1.0], [6.0], [0.0]])


def test_explicit_steps_run_under_the_strict_array_api(entry, make_general, rng):
    """A field of plain arithmetic: every explicit tableau steps and has derivatives."""
    xp = pytest.importorskip("array_api_strict")
    tableau = entry.cls.tableau
    if tableau is None or tableau.fields or np.any(np.triu(np.array(tableau.a, float))):
        pytest.skip("not an explicit Runge–Kutta method")
    method, field = entry.cls(), Cubic()
    x = rng.uniform(-1, 1, (2, 3))
    u = {"c": rng.standard_normal((len(method.abscissae), 3))}
    expected, part = method.linearize_step(field, 0.0, 0.1, x, u)
    strict_u = {"c": xp.asarray(u["c"])}
    y, strict = method.linearize_step(field, 0.0, 0.1, xp.asarray(x), strict_u)
    np.testing.assert_allclose(np.asarray(y), expected, rtol=1e-12)
    py = part.jvp(x, u)
    dy = strict.jvp(xp.asarray(x), strict_u)
    np.testing.assert_allclose(np.asarray(dy), py, rtol=1e-12)
    px, pu = strict.vjp(xp.asarray(py))
    np.testing.assert_allclose(np.asarray(px), part.vjp(py)[0], rtol=1e-12)
    np.testing.assert_allclose(np.asarray(pu["c"]), part.vjp(py)[1]["c"], rtol=1e-12)


class Cubic:
    """f = c − x³."""

    def __call__(self, t, x, u):
        return u["c"] - x * x * x

    def linearize(self, t, x, u):
        return self(t, x, u), self.at(x)

    @staticmethod
    def at(x):
        from occore import Products, array_namespace

        xp = array_namespace(x)
        return Products(
            lambda dx, du: du["c"] - 3 * x * x * dx,
            lambda p: (-3 * x * x * p, {"c": xp.sum(p, axis=0)}),
        )
