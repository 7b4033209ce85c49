"""Expressions of case files: text from strangers becomes a SymPy expression, and no code is run.

    expression   numbers, declared names, pi, + - * / **, parentheses, and calls of `FUNCTIONS`

There is no `e` (write exp(1)), so that a state may have this name, and there are no comparisons: a
switch belongs to a phase, where the integrator knows of it; abs, sign, min and max remain. White
space has no meaning, line ends included.

Three sieves follow each other. Tokens (`tokens`): only ASCII, only the characters of arithmetic,
bounded counts and nesting. Nodes of `ast`: only those of the table above. Values: what is constant
is computed here, in exact small fractions or doubles, and must be finite.

SymPy only stores the result: nodes are built with evaluate=False, since its simplifications take
minutes on some short texts. So the expression stands as it was written: x - x is not 0, and equal
texts, not equal formulas, give equal expressions. Constant exponents are bounded, along a tower of
powers their product, so that evaluating the result later cannot make huge integers either.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Collection, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NoReturn, cast

from occore.errors import nearest
from occore.symbolic.tokens import DEEPEST, HINT, Text
from occore.symbolic.vocabulary import CONSTANTS, FUNCTIONS, ExpressionError, shortened, symbol

if TYPE_CHECKING:  # SymPy takes long to import
    import sympy

# Far above what models need; the longest texts within these limits take some 15 ms.
LONGEST_TEXT = 4000
LARGEST_EXPONENT = 1000

LARGEST_INTEGER = 2**53
"""Up to here integers and fractions of them are exact; larger ones and decimals are doubles."""

MOST_SHOWN, MOST_COMPARED = 20, 500
"""Known names that a message lists, and that it looks through for the nearest."""

Constant = Fraction | float

OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def parse_expression(text: str, names: Collection[str] | Mapping[str, sympy.Expr]) -> sympy.Expr:
    """The expression that `text` writes, in the form in which it is written.

    names: the declared names, which become `symbol(name)`; or what each stands for, of which
    numbers take part in the arithmetic of constants. Raises ExpressionError with the place of
    the first thing that is not allowed. What is allowed: see the head of this module.
    """
    if len(text) > LONGEST_TEXT:
        short, length = shortened(text), len(text)
        raise ExpressionError(
            f"expression {short!r} has {length} characters; at most {LONGEST_TEXT} can be"
        )
    return _Reader(text, names).expression()


class _Reader:
    """One reading of one text."""

    def __init__(self, text: str, names: Collection[str] | Mapping[str, sympy.Expr]) -> None:
        self.text = Text(text)
        self.names = names if isinstance(names, Mapping) else frozenset(names)
        self.values: dict[str, Any] = {}  # of the names that were met

    def expression(self) -> sympy.Expr:
        text = self.text.text
        self.text.check_tokens()
        # in parentheses, so that lines may be indented; columns are one larger for it
        source = "(" + re.sub(r"\s", " ", text) + ")"
        try:
            root = ast.parse(source, mode="eval").body
        except SyntaxError as error:
            offset = max(0, min((error.offset or 2) - 2, len(text) - 1))
            self.text.refuse(offset, "a number, a name or an operator is missing or misplaced")
        except (RecursionError, MemoryError):  # thousands of signs in a row
            self.text.refuse(0, "nested too deeply")
        return _expression(self.value(root, DEEPEST, 1))

    def refuse(self, node: ast.expr, problem: str) -> NoReturn:
        """Raise the error of a problem at a node."""
        self.text.refuse(node.col_offset - 1, problem)

    def written(self, node: ast.expr) -> str:
        """What is written for a node, shortened."""
        return self.text.part(node.col_offset - 1, cast(int, node.end_col_offset) - 1)

    def value(self, node: ast.expr, depth: int, power: float) -> Any:
        """Second sieve: the value of a node. `power` is the product of the exponents around it."""
        if not depth:
            self.refuse(node, f"nested more than {DEEPEST} deep")
        match node:
            case ast.Constant(value=number) if type(number) in (int, float):
                return self.constant(node, lambda: number)
            case ast.Name(id=name):
                return self.name(node, name)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.value(operand, depth - 1, power)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return _negative(self.value(operand, depth - 1, power))
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                return self.chain(node, "Add", (ast.Add, ast.Sub), depth, power)
            case ast.BinOp(op=ast.Mult() | ast.Div()):
                return self.chain(node, "Mul", (ast.Mult, ast.Div), depth, power)
            case ast.BinOp(left=base, op=ast.Pow(), right=exponent):
                return self.power(node, base, exponent, depth, power)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self.call(node, name, arguments, depth, power)
        self.refuse(node, f"{self.written(node)} is not allowed: {HINT}")

    def constant(
        self, node: ast.expr, function: Callable[..., Any], *operands: Constant
    ) -> Constant:
        """Third sieve: a constant, exact if it is a small fraction, else the nearest double."""
        try:
            result = function(*operands)
            if isinstance(result, (int, Fraction)):
                exact = Fraction(result)
                if max(abs(exact.numerator), exact.denominator) <= LARGEST_INTEGER:
                    return exact
            result = float(result)
        except (ArithmeticError, ValueError, TypeError):  # float(complex) is a TypeError
            result = math.nan
        if not math.isfinite(result):
            self.refuse(node, f"{self.written(node)} is not a finite real number")
        return result

    def name(self, node: ast.expr, name: str) -> Any:
        if name in self.values:
            return self.values[name]
        if name in FUNCTIONS:
            self.refuse(node, f"{name!r} is a function; write {name}(…)")
        if name in CONSTANTS:
            return CONSTANTS[name]
        if name not in self.names:
            known = sorted([*self.names, *CONSTANTS])
            shown = ", ".join(known[:MOST_SHOWN]) + ", …" * (len(known) > MOST_SHOWN)
            hint = nearest(name, known[:MOST_COMPARED])
            self.refuse(node, f"unknown name {name!r}.{hint} Known: {shown}.")
        import sympy

        meaning = self.names[name] if isinstance(self.names, Mapping) else symbol(name)
        if meaning.has(sympy.oo, -sympy.oo, sympy.zoo, sympy.nan):
            self.refuse(node, f"{name!r} stands for {meaning}, which is not a finite real number")
        if meaning.is_Rational:
            meaning = self.constant(node, Fraction, meaning.p, meaning.q)
        elif meaning.is_Float:
            meaning = self.constant(node, float, meaning)
        self.values[name] = meaning
        return meaning

    def chain(
        self, node: ast.expr, head: str, kinds: tuple[type, type], depth: int, power: float
    ) -> Any:
        """A sum or a product, however long, read from the left."""
        steps: list[ast.BinOp] = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, kinds):
            steps.append(node)
            node = node.left
        total, operands = self.value(node, depth - 1, power), []
        for step in reversed(steps):
            operand = self.value(step.right, depth - 1, power)
            if not operands and _is_constant(total) and _is_constant(operand):
                total = self.constant(step, OPERATORS[type(step.op)], total, operand)
                continue
            if isinstance(step.op, ast.Sub):
                operand = _negative(operand)
            elif isinstance(step.op, ast.Div):
                if _is_constant(operand):
                    self.constant(step, operator.truediv, 1, operand)
                operand = _build("Pow", operand, Fraction(-1))
            operands.append(operand)
        return _build(head, total, *operands) if operands else total

    def power(
        self, node: ast.expr, base: ast.expr, exponent: ast.expr, depth: int, power: float
    ) -> Any:
        e = self.value(exponent, depth - 1, power)
        if _is_constant(e):
            power *= max(1, abs(float(e)))
        b = self.value(base, depth - 1, power)
        if _is_constant(b) and _is_constant(e):
            return self.constant(node, _power, b, e)
        if power > LARGEST_EXPONENT:
            self.refuse(
                exponent,
                f"exponents, multiplied where powers are nested, are at most {LARGEST_EXPONENT}",
            )
        return _build("Pow", b, e)

    def call(
        self, node: ast.expr, name: str, arguments: list[ast.expr], depth: int, power: float
    ) -> Any:
        function = FUNCTIONS.get(name)
        if function is None:
            hint = " A product needs *." if name in self.names else nearest(name, FUNCTIONS)
            known = ", ".join(FUNCTIONS)
            self.refuse(node, f"{name!r} is not a function.{hint} Functions: {known}.")
        if not function.least <= len(arguments) <= function.most:
            expected = str(function.least) + " or more" * (function.most > function.least)
            self.refuse(node, f"{name} takes {expected} arguments, got {len(arguments)}")
        values = [self.value(argument, depth - 1, power) for argument in arguments]
        if all(map(_is_constant, values)):
            return self.constant(node, function.value, *values)
        return _build(function.sympy_name, *values)


def _is_constant(value: Any) -> bool:
    return isinstance(value, (Fraction, float))


def _power(base: Constant, exponent: Constant) -> Any:
    # Exact only if the result is of bounded size: 9**9**9 has 370 million digits.
    if exponent == int(exponent) and abs(exponent) <= LARGEST_EXPONENT:
        return base ** int(exponent)
    return float(base) ** float(exponent)


def _negative(value: Any) -> Any:
    return -value if _is_constant(value) else _build("Mul", Fraction(-1), value)


def _expression(value: Any) -> sympy.Expr:
    import sympy

    if isinstance(value, Fraction):
        return sympy.Rational(value.numerator, value.denominator)
    return sympy.Float(value) if isinstance(value, float) else value


def _build(head: str, *values: Any) -> sympy.Expr:
    """The expression with this head, stored as it is."""
    import sympy

    kind, parts = getattr(sympy, head), map(_expression, values)
    if head in ("Min", "Max"):  # even unevaluated they sort, which is slow for many long arguments
        return sympy.Basic.__new__(kind, *parts)
    return kind(*parts, evaluate=False)
