"""Partial derivatives of each operation, as operations.

    v = φ(a, b):    [∂φ/∂a, ∂φ/∂b]

Piecewise constant operations and conditions have the derivative zero; `where` is not a product with
a partial derivative and is treated by who differentiates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from occore.symbolic.builder import Builder

CONSTANT = frozenset(["lt", "le", "eq", "and", "or", "not", "floor", "ceil"])
"""Operations whose derivative is zero wherever it exists."""


class Arithmetic:
    """Writes formulas as operations of a builder."""

    def __init__(self, builder: Builder) -> None:
        self.constant = builder.constant
        self.operation = builder.operation

    def __getattr__(self, name: str) -> Callable[..., int]:
        return lambda *operands: self.operation(
            name, *(self.constant(a) if isinstance(a, float) else a for a in operands)
        )


RULES: Mapping[str, Callable[..., list[int]]] = {
    "neg": lambda m, v, a: [m.constant(-1)],
    "add": lambda m, v, a, b: [m.constant(1), m.constant(1)],
    "sub": lambda m, v, a, b: [m.constant(1), m.constant(-1)],
    "mul": lambda m, v, a, b: [b, a],
    "div": lambda m, v, a, b: [m.div(1.0, b), m.neg(m.div(v, b))],
    "pow": lambda m, v, a, b: [m.mul(b, m.pow(a, m.sub(b, 1.0))), m.mul(v, m.log(a))],
    "exp": lambda m, v, a: [v],
    "expm1": lambda m, v, a: [m.add(v, 1.0)],
    "log": lambda m, v, a: [m.div(1.0, a)],
    "log1p": lambda m, v, a: [m.div(1.0, m.add(1.0, a))],
    "sqrt": lambda m, v, a: [m.div(0.5, v)],
    "sin": lambda m, v, a: [m.cos(a)],
    "cos": lambda m, v, a: [m.neg(m.sin(a))],
    "tan": lambda m, v, a: [m.add(1.0, m.mul(v, v))],
    "asin": lambda m, v, a: [m.div(1.0, m.sqrt(m.sub(1.0, m.mul(a, a))))],
    "acos": lambda m, v, a: [m.div(-1.0, m.sqrt(m.sub(1.0, m.mul(a, a))))],
    "atan": lambda m, v, a: [m.div(1.0, m.add(1.0, m.mul(a, a)))],
    "sinh": lambda m, v, a: [m.cosh(a)],
    "cosh": lambda m, v, a: [m.sinh(a)],
    "tanh": lambda m, v, a: [m.sub(1.0, m.mul(v, v))],
    "asinh": lambda m, v, a: [m.div(1.0, m.sqrt(m.add(m.mul(a, a), 1.0)))],
    "acosh": lambda m, v, a: [m.div(1.0, m.sqrt(m.sub(m.mul(a, a), 1.0)))],
    "atanh": lambda m, v, a: [m.div(1.0, m.sub(1.0, m.mul(a, a)))],
    "atan2": lambda m, v, a, b: _atan2(m, a, b),
}


def _atan2(m: Arithmetic, y: int, x: int) -> list[int]:
    r2 = m.add(m.mul(x, x), m.mul(y, y))
    return [m.div(x, r2), m.neg(m.div(y, r2))]


def partials(builder: Builder, number: int) -> list[int]:
    """Partial derivatives of node `number` with respect to its operands, in order."""
    name, *operands = builder.nodes[number]
    return RULES[name](Arithmetic(builder), number, *operands)
