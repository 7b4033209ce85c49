"""The shared array operations of a step."""

import numpy as np
import pytest

from occore_continuous.discretizations.stages import combine, gather


def plain(base, terms):
    for w, a in terms:
        base = base + w * a
    return base


@pytest.mark.parametrize("count", [0, 1, 2, 5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_sums_in_place_have_the_bits_of_the_formula(rng, count, dtype):
    base, *arrays = rng.standard_normal((count + 1, 3, 4)).astype(dtype)
    weights = rng.standard_normal(count).tolist()
    copies = [base.copy(), *(a.copy() for a in arrays)]
    terms = list(zip(weights, arrays, strict=True))
    total = combine(base, terms)
    assert total.dtype == dtype
    assert total.tobytes() == plain(base, terms).tobytes()
    assert all(np.array_equal(a, b) for a, b in zip([base, *arrays], copies, strict=True))


def test_mixed_types_are_promoted(rng):
    base, a = rng.standard_normal((2, 3, 4))
    assert combine(base, [(0.5, 1j * a)]).dtype == np.complex128
    assert combine(1j * base, [(0.5, a)]).dtype == np.complex128


def test_stages_that_share_an_abscissa_are_added():
    parts = [{"u": np.array([1.0])}, {"u": np.array([2.0])}, {"u": np.array([4.0])}]
    np.testing.assert_array_equal(gather(parts, (0, 1, 1), 3)["u"], [[1.0], [6.0], [0.0]])


def test_explicit_steps_run_under_the_strict_array_api(entry, make_general, rng):
    """A field of plain arithmetic: every explicit tableau steps and has derivatives."""
    xp = pytest.importorskip("array_api_strict")
    tableau = getattr(entry.cls, "tableau", None)
    if tableau is None or tableau.fields or np.any(np.triu(np.array(tableau.a, float))):
        pytest.skip("not an explicit Runge–Kutta method")
    method, field = entry.cls(), Cubic()
    x = rng.standard_normal((2, 3))
    u = {"c": rng.standard_normal((len(method.abscissae), 3))}
    expected, part = method.linearize_step(field, 0.0, 0.1, x, u)
    strict_u = {"c": xp.asarray(u["c"])}
    y, strict = method.linearize_step(field, 0.0, 0.1, xp.asarray(x), strict_u)
    np.testing.assert_array_equal(np.asarray(y), expected)
    py = part.jvp(x, u)
    np.testing.assert_array_equal(np.asarray(strict.jvp(xp.asarray(x), strict_u)), py)
    px, pu = strict.vjp(xp.asarray(py))
    np.testing.assert_array_equal(np.asarray(px), part.vjp(py)[0])
    np.testing.assert_allclose(np.asarray(pu["c"]), part.vjp(py)[1]["c"], rtol=1e-14)


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
