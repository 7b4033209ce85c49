"""From SymPy expressions to a tape.

Nothing is evaluated by SymPy on the way: expressions of strangers come unevaluated, because SymPy's
simplifications take minutes on some short ones. The builder does what is worth doing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from typing import Any

import sympy
from sympy.codegen.cfunctions import expm1, log1p
from sympy.logic.boolalg import BooleanAtom

from occore.errors import InputError
from occore.symbolic.builder import Builder
from occore.symbolic.tape import Tape

UNARY: Mapping[Any, str] = {
    sympy.exp: "exp", expm1: "expm1", sympy.log: "log", log1p: "log1p",
    sympy.floor: "floor", sympy.ceiling: "ceil", sympy.Not: "not",
    sympy.sin: "sin", sympy.cos: "cos", sympy.tan: "tan",
    sympy.asin: "asin", sympy.acos: "acos", sympy.atan: "atan",
    sympy.sinh: "sinh", sympy.cosh: "cosh", sympy.tanh: "tanh",
    sympy.asinh: "asinh", sympy.acosh: "acosh", sympy.atanh: "atanh",
}  # fmt: skip

BINARY: Mapping[Any, str] = {
    sympy.Pow: "pow", sympy.atan2: "atan2", sympy.Lt: "lt", sympy.Le: "le", sympy.Eq: "eq",
}  # fmt: skip

CHAINS: Mapping[Any, tuple[str, float]] = {
    sympy.Add: ("add", 0), sympy.And: ("and", 1), sympy.Or: ("or", 0),
}  # fmt: skip
"""Operations of any number of operands, and their values of none."""

Inputs = Sequence[sympy.Symbol | Sequence[sympy.Symbol]]
"""Groups of input symbols: a sequence is a vector, a symbol on its own is one number."""


def lower(inputs: Inputs, outputs: Sequence[Any]) -> Tape:
    """The tape of SymPy expressions in real symbols. Raises InputError for what no kernel can do.

    Rational numbers become the nearest double; sums and products keep the order of SymPy.
    """
    vectors = [group if isinstance(group, Sequence) else [group] for group in inputs]
    builder = Builder(tuple(len(g) if isinstance(g, Sequence) else None for g in inputs))
    symbols = [symbol for vector in vectors for symbol in vector]
    if len(set(symbols)) < len(symbols):
        raise InputError("an input is named twice")
    numbers: dict[Any, Any] = dict(zip(symbols, range(len(symbols)), strict=True))
    expressions = [sympy.sympify(output) for output in outputs]
    for expression in expressions:
        _number_all(builder, expression, numbers)
    return builder.tape([numbers[expression] for expression in expressions])


def _number_all(builder: Builder, root: Any, numbers: dict[Any, Any]) -> None:
    """Give a number to an expression and to all its parts; no recursion, for depth is unbounded."""
    waiting = [root]
    while waiting:
        expression = waiting[-1]
        missing = [part for part in _parts(expression) if part not in numbers]
        waiting.extend(missing)
        if not missing:
            waiting.pop()
            if expression not in numbers:
                numbers[expression] = _node(builder, expression, numbers)


def _is_divisor(factor: Any) -> bool:
    return factor.is_Pow and bool(factor.exp.is_Rational and factor.exp.is_negative)


def _parts(expression: Any) -> Iterable[Any]:
    """The expressions that need a number before this one."""
    if isinstance(expression, sympy.Mul):
        factors: Any = expression.args
        return [factor.base if _is_divisor(factor) else factor for factor in factors]
    if isinstance(expression, sympy.Piecewise):
        return [part for branch in expression.args for part in branch.args]
    return expression.args


def _node(builder: Builder, expression: Any, numbers: Mapping[Any, int]) -> int:
    """The number of an expression whose parts have theirs."""
    kind: Any = expression.func
    operands = [] if kind in (sympy.Mul, sympy.Piecewise) else [numbers[a] for a in expression.args]
    if kind in UNARY or kind in BINARY:
        return builder.operation(UNARY.get(kind) or BINARY[kind], *operands)
    if kind in CHAINS:
        name, empty = CHAINS[kind]
        return _chain(builder, name, operands, empty)
    if kind in RULES:
        return RULES[kind](builder, *operands)
    if kind is sympy.Mul:
        return _product(builder, expression, numbers)
    if kind is sympy.Piecewise:
        return _piecewise(builder, expression, numbers)
    if expression.is_Rational:
        # the quotient of two integers is rounded once in Python
        return builder.constant(expression.p / expression.q)
    if expression.is_Number or isinstance(expression, sympy.NumberSymbol):
        return builder.constant(float(expression))
    if isinstance(expression, BooleanAtom):
        return builder.constant(bool(expression))
    if expression.is_Symbol:
        raise InputError(f"the expressions depend on {str(expression)!r}, which is no input")
    raise InputError(
        f"no kernel can be generated for {str(kind)!r}; use arithmetic, powers, comparisons, "
        f"Piecewise, Abs, sign, Max, Min, atan2, {', '.join(f.__name__ for f in UNARY)}"
    )


def _chain(builder: Builder, name: str, operands: Sequence[int], empty: float) -> int:
    if not operands:
        return builder.constant(empty)
    return reduce(lambda a, b: builder.operation(name, a, b), operands)


def _product(builder: Builder, expression: Any, numbers: Mapping[Any, int]) -> int:
    """One quotient of a product of numerators and a product of denominators."""
    above = [numbers[factor] for factor in expression.args if not _is_divisor(factor)]
    below = [
        builder.operation("pow", numbers[f.base], builder.constant(-f.exp.p / f.exp.q))
        for f in expression.args
        if _is_divisor(f)
    ]
    quotient = [_chain(builder, "mul", factors, 1) for factors in (above, below)]
    return builder.operation("div", *quotient)


def _piecewise(builder: Builder, expression: Any, numbers: Mapping[Any, int]) -> int:
    result = builder.constant(math.nan)  # where no condition holds
    for branch, condition in reversed(expression.args):
        result = builder.operation("where", numbers[condition], numbers[branch], result)
    return result


def _abs(builder: Builder, a: int) -> int:
    # by comparison, so that a complex step passes
    negative = builder.operation("lt", a, builder.constant(0))
    return builder.operation("where", negative, builder.operation("neg", a), a)


def _sign(builder: Builder, a: int) -> int:
    zero, one, minus_one = (builder.constant(value) for value in (0, 1, -1))
    below = builder.operation("where", builder.operation("lt", a, zero), minus_one, zero)
    return builder.operation("where", builder.operation("lt", zero, a), one, below)


def _max(builder: Builder, *operands: int) -> int:
    op = builder.operation
    return reduce(lambda a, b: op("where", op("lt", a, b), b, a), operands)


def _min(builder: Builder, *operands: int) -> int:
    op = builder.operation
    return reduce(lambda a, b: op("where", op("lt", b, a), b, a), operands)


RULES: Mapping[Any, Callable[..., int]] = {
    sympy.Abs: _abs,
    sympy.sign: _sign,
    sympy.Max: _max,
    sympy.Min: _min,
    sympy.Gt: lambda builder, a, b: builder.operation("lt", b, a),
    sympy.Ge: lambda builder, a, b: builder.operation("le", b, a),
    sympy.Ne: lambda builder, a, b: builder.operation("not", builder.operation("eq", a, b)),
}
"""Operations that are several on the tape."""
