import numpy as np
import pytest
import sympy

from occore.errors import InputError
from occore.symbolic.array_kernel import ArrayKernel
from occore.symbolic.lowering import lower

a, b = sympy.symbols("a b", real=True)


def value(expression, first=0.3, second=-0.7):
    return ArrayKernel(lower([a, b], [expression]))(first, second)[0]


@pytest.mark.parametrize("expression", [
    sympy.Max(a, b, 0) - sympy.Min(a, b), sympy.Abs(b) + sympy.sign(b) + sympy.sign(a),
    sympy.Piecewise((1, sympy.And(a > b, a <= 1)), (2, True)), sympy.pi * a + sympy.E,
    sympy.Piecewise((1, sympy.Or(a < b, sympy.Ne(a, 2))), (2, True)), sympy.floor(7 * a),
    sympy.ceiling(7 * b), a / (b * sympy.sqrt(a)), sympy.sqrt(2) * a, sympy.Integer(3),
    sympy.Piecewise((1, sympy.Not(sympy.Eq(a, b))), (2, True)), a**2 / 3 - b / 7 - 1,
    sympy.Piecewise((1, a >= b), (2, True)), sympy.Piecewise((a, sympy.true)),
])  # fmt: skip
def test_values(expression):
    expected = float(expression.subs({a: sympy.Float(0.3, 30), b: sympy.Float(-0.7, 30)}).evalf(30))
    assert value(expression) == pytest.approx(expected, rel=1e-15)


def test_no_condition_holds():
    assert np.isnan(value(sympy.Piecewise((1, a > 1))))


def test_constants_lose_no_digit():
    for constant in (0.1, 1 / 3, 1e-300, 1.7976931348623157e308, np.pi):
        exact = sympy.Rational(*constant.as_integer_ratio())
        assert value(exact) == constant
        assert value(sympy.Float(constant)) == constant


def test_nothing_is_evaluated():
    """SymPy never gets to simplify: this tower would take it for ever."""
    nine = sympy.Pow(9, 9, evaluate=False)
    huge = sympy.Pow(nine, nine, evaluate=False)
    difference = sympy.Add(huge, sympy.Mul(-1, huge, evaluate=False), a, evaluate=False)
    divided = sympy.Mul(a, sympy.Pow(huge, -1, evaluate=False), evaluate=False)
    assert np.isnan(value(difference))  # ∞ − ∞
    assert value(divided) == 0


def test_depth_is_no_limit():
    expression = a
    for _ in range(3000):
        expression = sympy.sin(expression, evaluate=False)
    assert len(lower([a, b], [expression]).operations) == 3000


def test_errors():
    with pytest.raises(InputError, match="depend on 'c', which is no input"):
        lower([a, b], [a + sympy.Symbol("c")])
    with pytest.raises(InputError, match="no kernel can be generated for 'gamma'"):
        lower([a, b], [sympy.gamma(a)])
    with pytest.raises(InputError, match="no kernel can be generated"):
        lower([a, b], [sympy.I * a])
    with pytest.raises(InputError, match="named twice"):
        lower([a, [a, b]], [a])
