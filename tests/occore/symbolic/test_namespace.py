"""Every function of the symbolic namespace against the function of NumPy of the same name."""

import numpy as np
import pytest
import sympy

from occore import array_namespace
from occore.symbolic import namespace as sp
from occore.symbolic.array import SymbolicArray, symbols

UNARY = """exp expm1 log log1p log2 log10 sqrt square reciprocal sin cos tan asin acos atan
sinh cosh tanh asinh atanh negative positive abs sign isfinite isnan sum prod mean max min std var
cumulative_sum flip matrix_transpose zeros_like ones_like expand_dims""".split()

BINARY = """add subtract multiply divide pow atan2 hypot maximum minimum less less_equal greater
greater_equal equal not_equal""".split()


def numbers(array, values):
    """The entries of a symbolic array where the symbols x_0, x_1, … have these values."""
    assert isinstance(array, SymbolicArray)
    replacements = {sympy.Symbol(f"x_{i}", real=True): sympy.Float(float(v), 30)
                    for i, v in enumerate(values.ravel())}  # fmt: skip
    result = np.empty(array.shape, dtype=object)
    for place in np.ndindex(array.shape):
        value = array.entries[place].subs(replacements)
        result[place] = bool(value) if value.is_Boolean else float(value.evalf(30))
    return result.astype(array.dtype)


def assert_same(symbolic, numeric, values, exact=True):
    numeric = np.asarray(numeric)
    assert symbolic.shape == numeric.shape
    # NumPy's functions and sums of a few terms are right to a few units in the last place
    np.testing.assert_allclose(numbers(symbolic, values), numeric, rtol=1e-14, atol=1e-15)


@pytest.fixture
def values(rng):
    return rng.uniform(0.1, 0.9, (2, 3))


@pytest.mark.parametrize("name", UNARY)
def test_unary(name, values):
    keywords = {"axis": 0} if name in ("expand_dims", "cumulative_sum") else {}
    got = getattr(sp, name)(symbols("x", (2, 3)), **keywords)
    assert_same(got, getattr(np, name)(values, **keywords), values)


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "max", "min", "var", "std"])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_reductions(name, axis, keepdims, values):
    got = getattr(sp, name)(symbols("x", (2, 3)), axis=axis, keepdims=keepdims)
    assert_same(got, getattr(np, name)(values, axis=axis, keepdims=keepdims), values)


@pytest.mark.parametrize("name", BINARY)
def test_binary(name, values, rng):
    x, other = symbols("x", (2, 3)), rng.uniform(0.1, 0.9, 3)
    assert_same(getattr(sp, name)(x, other), getattr(np, name)(values, other), values)
    assert_same(getattr(sp, name)(other, x), getattr(np, name)(other, values), values)


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "**", "<", "<=", ">", ">=", "==", "!="])
@pytest.mark.parametrize("other", [0.3, 2, np.float64(0.7), np.float32(0.5), np.arange(1.0, 4.0)],
                         ids=["float", "int", "float64", "float32", "array"])  # fmt: skip
def test_operators_from_both_sides(operator, other, values):
    x = symbols("x", (2, 3))
    for code in (f"a {operator} b", f"b {operator} a"):
        got = eval(code, {"a": x, "b": other})  # noqa: S307 - of this test's own text
        assert_same(got, eval(code, {"a": values, "b": other}), values)  # noqa: S307


SHAPED = {
    "matmul": lambda xp, x, k: x @ k,
    "rmatmul": lambda xp, x, k: k @ x,
    "matrix_vector": lambda xp, x, k: x @ k[:, 0],
    "inner": lambda xp, x, k: x[0] @ x[1],
    "transposes": lambda xp, x, k: x.T + x.mT,
    "tensordot": lambda xp, x, k: xp.tensordot(x, k, axes=1),
    "tensordot_axes": lambda xp, x, k: xp.tensordot(x, k, axes=((0, 1), (1, 0))),
    "vecdot": lambda xp, x, k: xp.vecdot(x, k.T),
    "outer": lambda xp, x, k: xp.linalg.outer(x[0], x[1]),
    "trace": lambda xp, x, k: xp.linalg.trace(x),
    "vector_norm": lambda xp, x, k: xp.linalg.vector_norm(x, axis=1, keepdims=True),
    "one_norm": lambda xp, x, k: xp.linalg.vector_norm(x - 0.5, ord=1),
    "maximum_norm": lambda xp, x, k: xp.linalg.vector_norm(x - 0.5, ord=np.inf, axis=0),
    "reshape": lambda xp, x, k: xp.reshape(x, (3, -1)),
    "permute_dims": lambda xp, x, k: xp.permute_dims(x, (1, 0)),
    "moveaxis": lambda xp, x, k: xp.moveaxis(x, 0, 1),
    "stack": lambda xp, x, k: xp.stack([x, 2 * x], axis=1),
    "concat": lambda xp, x, k: xp.concat([x, x * x], axis=1),
    "concat_flat": lambda xp, x, k: xp.concat([x, x], axis=None),
    "squeeze": lambda xp, x, k: xp.squeeze(x[:, None, :], axis=1),
    "expand_dims": lambda xp, x, k: xp.expand_dims(x, axis=-1),
    "newaxis": lambda xp, x, k: x[:, None, 1:] + x[..., :1][:, :, None],
    "fancy": lambda xp, x, k: x[np.array([1, 0]), np.array([2, 0])],
    "broadcast_to": lambda xp, x, k: xp.broadcast_to(x[0], (4, 3)),
    "broadcast_arrays": lambda xp, x, k: xp.broadcast_arrays(x, x[0])[1],
    "flip": lambda xp, x, k: xp.flip(x, axis=1),
    "roll": lambda xp, x, k: xp.roll(x, 1, axis=1) - xp.roll(x, -1),
    "tile": lambda xp, x, k: xp.tile(x, (2, 1)),
    "repeat": lambda xp, x, k: xp.repeat(x, 2, axis=0),
    "take": lambda xp, x, k: xp.take(x, np.array([2, 0, 1]), axis=1),
    "cumulative_sum": lambda xp, x, k: xp.cumulative_sum(x, axis=1, include_initial=True),
    "where": lambda xp, x, k: xp.where(x > 0.5, x, 0.0),
    "where_mask": lambda xp, x, k: xp.where(np.array([True, False, True]), x, -x),
    "logical": lambda xp, x, k: xp.logical_not(xp.logical_or(x > 0.7, (x < 0.3) & (x > 0.1))),
    "invert": lambda xp, x, k: ~(x > 0.5) | (x == 2),
    "any_all": lambda xp, x, k: xp.any(x > 0.5, axis=0) & xp.all(x > 0.05),
    "astype": lambda xp, x, k: xp.astype(x > 0.5, xp.float64) * x,
    "clip": lambda xp, x, k: xp.clip(x, 0.3, 0.6) + xp.clip(x, max=0.2),
    "powers": lambda xp, x, k: x**0.5 + x**-1 + x**2.5 + 2.0**x + x**3,
    "log_sum_exp": lambda xp, x, k: xp.max(x, axis=1, keepdims=True)
    + xp.log(xp.sum(xp.exp(x - xp.max(x, axis=1, keepdims=True)), axis=1, keepdims=True)),
    "constants": lambda xp, x, k: x * xp.pi + xp.e - 0.1,
    "absolute": lambda xp, x, k: abs(x - 0.5) + (+x),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPED)
def test_expression(name, values, rng):
    k, function = rng.uniform(0.1, 0.9, (3, 2)), SHAPED[name]
    got = function(sp, symbols("x", (2, 3)), k)
    assert_same(got, function(np, values, k), values)


CREATED = {
    "zeros": lambda xp: xp.zeros((2, 3), dtype=xp.float64),
    "ones": lambda xp: xp.ones(3),
    "full": lambda xp: xp.full((2,), 0.1),
    "full_like": lambda xp: xp.full_like(xp.zeros((2, 2)), 3.5),
    "eye": lambda xp: xp.eye(2, 3, k=1),
    "arange": lambda xp: xp.arange(1.0, 2.0, 0.25),
    "arange_stop": lambda xp: xp.arange(4),
    "linspace": lambda xp: xp.linspace(0.0, 1.0, 7),
    "asarray": lambda xp: xp.asarray([[0.1, 2], [3, 4]], dtype=xp.float64),
    "nested": lambda xp: xp.asarray([xp.ones(2), xp.zeros(2)]),
}


@pytest.mark.parametrize("name", CREATED)
def test_creation(name):
    assert_same(CREATED[name](sp), CREATED[name](np), np.zeros(0))


def test_namespace_is_found():
    assert array_namespace(symbols("x", (2,))) is sp
    assert symbols("x", (2, 3)).dtype == sp.float64
    assert (symbols("x", (2,)) > 0).dtype == sp.bool
    missing = [name for name in sp.__all__ if not hasattr(sp, name)]
    assert missing == []


def test_constants_are_the_doubles_that_were_given():
    third = 1 / 3
    product = (third * symbols("x", ())).entries.item()
    assert product.as_coeff_Mul()[0] == sympy.Rational(*third.as_integer_ratio())


def test_branching_on_a_symbol_is_refused():
    x = symbols("x", ())
    with pytest.raises(TypeError, match="cannot branch on 'x_0 > 0'"):
        bool(x > 0)
    assert bool(sp.asarray(1.0) > 0)


@pytest.mark.parametrize("function", [
    lambda x: sp.abs(x - 1), lambda x: sp.sign(x), lambda x: sp.maximum(x, 0) ** 2,
    lambda x: sp.minimum(x, x**2), lambda x: sp.clip(x, -1, 1), lambda x: sp.where(x > 0, x, 0),
])  # fmt: skip
def test_derivatives_of_kinks_are_evaluated(function):
    x = symbols("x", ())
    for order in (1, 2):
        derivative = function(x).entries.item().diff(x.entries.item(), order)
        assert not derivative.has(sympy.DiracDelta, sympy.Heaviside, sympy.Derivative)


def test_norm_of_another_order_is_refused():
    with pytest.raises(ValueError, match="order 1, 2 or infinity"):
        sp.linalg.vector_norm(symbols("x", (2,)), ord=3)
