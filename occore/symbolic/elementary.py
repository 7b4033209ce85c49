"""Elementwise functions of the namespace.

    maximum(a, b) = b where a < b, else a        |x| = −x where x < 0, else x

Functions with a kink are Piecewise, and so are their derivatives. SymPy's own Abs, Max and sign
would bring forth Heaviside, DiracDelta and derivatives that are not evaluated.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import sympy
from sympy.codegen import cfunctions

from occore.symbolic.array import RELATIONS, SymbolicArray, elementwise

exp = partial(elementwise, sympy.exp)
expm1 = partial(elementwise, cfunctions.expm1)
log = partial(elementwise, sympy.log)
log1p = partial(elementwise, cfunctions.log1p)
log2 = partial(elementwise, lambda a: sympy.log(a) / sympy.log(2))
log10 = partial(elementwise, lambda a: sympy.log(a) / sympy.log(10))
sqrt = partial(elementwise, sympy.sqrt)
square = partial(elementwise, lambda a: a**2)
reciprocal = partial(elementwise, lambda a: 1 / a)
sin = partial(elementwise, sympy.sin)
cos = partial(elementwise, sympy.cos)
tan = partial(elementwise, sympy.tan)
asin = partial(elementwise, sympy.asin)
acos = partial(elementwise, sympy.acos)
atan = partial(elementwise, sympy.atan)
atan2 = partial(elementwise, sympy.atan2)
sinh = partial(elementwise, sympy.sinh)
cosh = partial(elementwise, sympy.cosh)
tanh = partial(elementwise, sympy.tanh)
asinh = partial(elementwise, sympy.asinh)
acosh = partial(elementwise, sympy.acosh)
atanh = partial(elementwise, sympy.atanh)
hypot = partial(elementwise, lambda a, b: sympy.sqrt(a**2 + b**2))

positive = partial(elementwise, lambda a: a)
negative = partial(elementwise, lambda a: -a)
add = partial(elementwise, operator.add)
subtract = partial(elementwise, operator.sub)
multiply = partial(elementwise, operator.mul)
divide = partial(elementwise, operator.truediv)
pow = partial(elementwise, operator.pow)

less = partial(elementwise, RELATIONS["lt"])
less_equal = partial(elementwise, RELATIONS["le"])
greater = partial(elementwise, RELATIONS["gt"])
greater_equal = partial(elementwise, RELATIONS["ge"])
equal = partial(elementwise, RELATIONS["eq"])
not_equal = partial(elementwise, RELATIONS["ne"])
logical_and = partial(elementwise, sympy.And)
logical_or = partial(elementwise, sympy.Or)
logical_not = partial(elementwise, sympy.Not)
isfinite = partial(elementwise, lambda a: sympy.sympify(a.is_finite is not False))
isnan = partial(elementwise, lambda a: sympy.sympify(a is sympy.nan))


def _choose(condition: Any, a: Any, b: Any) -> Any:
    if a == b or condition == sympy.true:
        return a
    if condition == sympy.false:
        return b
    # not evaluated: SymPy would try to prove things about the condition
    return sympy.Piecewise((a, condition), (b, True), evaluate=False)


def _extremum(relation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: _choose(relation(a, b), b, a)


def _sign(a: Any) -> Any:
    below = _choose(RELATIONS["lt"](a, sympy.S.Zero), sympy.S.NegativeOne, sympy.S.Zero)
    return _choose(RELATIONS["gt"](a, sympy.S.Zero), sympy.S.One, below)


where = partial(elementwise, _choose)
maximum = partial(elementwise, _extremum(RELATIONS["lt"]))
minimum = partial(elementwise, _extremum(RELATIONS["gt"]))
sign = partial(elementwise, _sign)
abs = partial(elementwise, lambda a: _choose(RELATIONS["lt"](a, sympy.S.Zero), -a, a))


def clip(x: Any, /, min: Any = None, max: Any = None) -> SymbolicArray:
    """x within [min, max]; `None` is no bound."""
    x = x if min is None else maximum(x, min)
    return positive(x) if max is None else minimum(x, max)
