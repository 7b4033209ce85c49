"""Builds tapes: equal values share one number, and arithmetic that needs no computing is done here.

Zeros and ones are absorbed as they arise, so a structural zero of a derivative never becomes an
operation. As in every tool that exploits structure, 0 · a is 0 also where a overflows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from occore.symbolic.tape import Groups, Operation, Tape, size

FOLD: Mapping[str, Callable[..., Any]] = {
    "neg": np.negative, "exp": np.exp, "expm1": np.expm1, "log": np.log, "log1p": np.log1p,
    "sqrt": np.sqrt, "floor": np.floor, "ceil": np.ceil, "not": np.logical_not,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.asin, "acos": np.acos, "atan": np.atan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "asinh": np.asinh, "acosh": np.acosh, "atanh": np.atanh,
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "pow": np.float_power,
    "atan2": np.atan2, "lt": np.less, "le": np.less_equal, "eq": np.equal,
    "and": np.logical_and, "or": np.logical_or,
}  # fmt: skip
"""What each operation does to constants."""

LONGEST_PRODUCT = 64
"""Integer powers up to this one are products by repeated squaring."""


class Builder:
    """Nodes by number: inputs first, then constants and operations in the order of creation."""

    def __init__(self, groups: Groups) -> None:
        self.groups = groups
        self.nodes: list[Operation] = [("input", i) for i in range(size(groups))]
        self.constants: dict[int, float] = {}
        self._numbers: dict[Operation, int] = {}

    def inputs(self, group: int) -> range:
        """The numbers of the inputs of one group."""
        start = size(self.groups[:group])
        return range(start, start + size(self.groups[group : group + 1]))

    def constant(self, value: float) -> int:
        """The number of a constant; truth values are 0 and 1."""
        value = float(value)
        number = self._node(("constant", value.hex()))
        self.constants[number] = value
        return number

    def _node(self, node: Operation) -> int:
        number = self._numbers.get(node)
        if number is None:
            number = self._numbers[node] = len(self.nodes)
            self.nodes.append(node)
        return number

    def operation(self, name: str, *operands: int) -> int:
        """The number of an operation, simplified where there is a rule for it."""
        simplify = getattr(self, "_" + name, None)
        if simplify is None or all(operand in self.constants for operand in operands):
            return self._plain(name, *operands)
        return simplify(*operands)

    def _plain(self, name: str, *operands: int) -> int:
        """The operation as it stands; of constants, its value."""
        values = [self.constants.get(operand) for operand in operands]
        if name == "where":
            if values[0] is not None:
                return operands[1] if values[0] else operands[2]
        elif None not in values:
            with np.errstate(all="ignore"):
                return self.constant(FOLD[name](*values))
        return self._node((name, *operands))

    def _is(self, number: int, value: float) -> bool:
        return self.constants.get(number) == value

    def _operands(self, number: int, name: str) -> tuple[int, ...] | None:
        """The operands of a node if it is an operation of this name."""
        kind, *operands = self.nodes[number]
        return tuple(operands) if kind == name else None

    def _neg(self, a: int) -> int:
        if inner := self._operands(a, "neg"):
            return inner[0]
        if inner := self._operands(a, "sub"):
            return self._plain("sub", inner[1], inner[0])
        return self._plain("neg", a)

    def _add(self, a: int, b: int) -> int:
        if self._is(a, 0):
            return b
        if self._is(b, 0):
            return a
        if inner := self._operands(b, "neg"):
            return self.operation("sub", a, inner[0])
        if inner := self._operands(a, "neg"):
            return self.operation("sub", b, inner[0])
        if a == b:
            return self.operation("mul", self.constant(2), a)
        return self._plain("add", *sorted((a, b)))

    def _sub(self, a: int, b: int) -> int:
        if self._is(b, 0):
            return a
        if self._is(a, 0):
            return self.operation("neg", b)
        if a == b:
            return self.constant(0)
        if inner := self._operands(b, "neg"):
            return self.operation("add", a, inner[0])
        return self._plain("sub", a, b)

    def _mul(self, a: int, b: int) -> int:
        a, b = sorted((a, b), key=lambda number: (number not in self.constants, number))
        if self._is(a, 0):
            return a
        if self._is(a, 1):
            return b
        if self._is(a, -1):
            return self.operation("neg", b)
        for one, other in ((a, b), (b, a)):
            # signs move outwards, where sums absorb them, and products with 1/c become quotients
            if inner := self._operands(one, "neg"):
                return self.operation("neg", self.operation("mul", inner[0], other))
            if (inner := self._operands(one, "div")) and self._is(inner[0], 1):
                return self.operation("div", other, inner[1])
        return self._plain("mul", a, b)

    def _div(self, a: int, b: int) -> int:
        if self._is(a, 0) or self._is(b, 1):
            return a
        for number, other, swap in ((a, b, False), (b, a, True)):
            if inner := self._operands(number, "neg"):
                pair = (other, inner[0]) if swap else (inner[0], other)
                return self.operation("neg", self.operation("div", *pair))
        return self._plain("div", a, b)

    def _pow(self, a: int, b: int) -> int:
        exponent = self.constants.get(b)
        if exponent is None or 2 * exponent % 1 or abs(exponent) > LONGEST_PRODUCT:
            return self._plain("pow", a, b)
        if exponent < 0:
            return self.operation("div", self.constant(1), self._pow(a, self.constant(-exponent)))
        result = self.operation("sqrt", a) if exponent % 1 else self.constant(1)
        square, count = a, int(exponent)
        while count:
            if count % 2:
                result = self.operation("mul", result, square)
            count //= 2
            square = self.operation("mul", square, square) if count else square
        return result

    def _where(self, condition: int, a: int, b: int) -> int:
        return a if a == b else self._plain("where", condition, a, b)

    def _and(self, a: int, b: int) -> int:
        return a if a == b else self._plain("and", *sorted((a, b)))

    def _or(self, a: int, b: int) -> int:
        if self._operands(a, "not") == (b,) or self._operands(b, "not") == (a,):
            return self.constant(1)
        return a if a == b else self._plain("or", *sorted((a, b)))

    def replay(self, tape: Tape, inputs: Sequence[int]) -> list[int]:
        """Append the operations of a tape on these inputs; the numbers of its outputs."""
        numbers = [*inputs, *(self.constant(value) for value in tape.constants)]
        for name, *operands in tape.operations:
            numbers.append(self.operation(name, *(numbers[operand] for operand in operands)))
        return [numbers[output] for output in tape.outputs]

    def tape(self, outputs: Sequence[int], pattern: Sequence[tuple[int, int]] = ()) -> Tape:
        """The tape of these outputs, without what they do not need."""
        needed, waiting = set(), list(outputs)
        while waiting:
            number = waiting.pop()
            if number not in needed:
                needed.add(number)
                if self.nodes[number][0] not in ("input", "constant"):
                    waiting.extend(self.nodes[number][1:])
        inputs = size(self.groups)
        constants = [number for number in sorted(needed) if number in self.constants]
        rest = [n for n in sorted(needed) if n >= inputs and n not in self.constants]
        order = [*range(inputs), *constants, *rest]
        place = {number: position for position, number in enumerate(order)}
        operations = ((self.nodes[n][0], *(place[a] for a in self.nodes[n][1:])) for n in rest)
        return Tape(
            self.groups,
            tuple(self.constants[number] for number in constants),
            tuple(operations),
            tuple(place[output] for output in outputs),
            tuple(pattern),
        )
