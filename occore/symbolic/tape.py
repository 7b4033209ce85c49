"""A tape: a straight-line program of real arithmetic in single assignment.

Models are differentiated, kept on disk and printed as source in this form. It is data, made of a
fixed list of operations and of numbers, so that a tape that was read from a file can be checked
completely before anything is generated from it; no name from outside ever enters it.

    value number          meaning
    0 … inputs − 1        inputs, group by group
    then                  constants
    then                  operations, whose operands are lower value numbers
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Groups = tuple[int | None, ...]
"""Lengths of the vectors of inputs, in order; `None` stands for one number, such as the time."""

Operation = tuple[Any, ...]
"""(name, *value numbers of the operands)."""

ARITY: Mapping[str, int] = {
    **dict.fromkeys(["neg", "exp", "expm1", "log", "log1p", "sqrt", "floor", "ceil", "not"], 1),
    **dict.fromkeys(["sin", "cos", "tan", "asin", "acos", "atan"], 1),
    **dict.fromkeys(["sinh", "cosh", "tanh", "asinh", "acosh", "atanh"], 1),
    **dict.fromkeys(["add", "sub", "mul", "div", "pow", "atan2"], 2),
    **dict.fromkeys(["lt", "le", "eq", "and", "or"], 2),
    "where": 3,
}
"""Every operation and its number of operands."""


@dataclass(frozen=True)
class Tape:
    """The program: outputs of the inputs.

    `pattern`, for a tape that ends with the non-zeros of a sparse matrix, holds the (row, column)
    of each of them.
    """

    groups: Groups
    constants: tuple[float, ...]
    operations: tuple[Operation, ...]
    outputs: tuple[int, ...]
    pattern: tuple[tuple[int, int], ...] = ()

    @cached_property
    def inputs(self) -> int:
        """Number of inputs in all groups."""
        return size(self.groups)

    @property
    def branches(self) -> bool:
        """Whether a branch that is not chosen may still be evaluated."""
        return any(operation[0] == "where" for operation in self.operations)

    @property
    def autonomous(self) -> bool:
        """Whether the first input, the time of a right-hand side, is not used."""
        used = {number for operation in self.operations for number in operation[1:]}
        return 0 not in used | set(self.outputs)

    def data(self) -> dict[str, Any]:
        """The tape as lists and strings for JSON; constants are hexadecimal, hence exact."""
        return {
            "groups": list(self.groups),
            "constants": [constant.hex() for constant in self.constants],
            "operations": [list(operation) for operation in self.operations],
            "outputs": list(self.outputs),
            "pattern": [list(position) for position in self.pattern],
        }


def size(groups: Iterable[int | None]) -> int:
    """Number of inputs in the groups."""
    return sum(1 if length is None else length for length in groups)


def tape_from_data(data: Any) -> Tape:
    """The tape of what `Tape.data` gave. Raises ValueError for anything else."""
    names = ["groups", "constants", "operations", "outputs", "pattern"]
    if type(data) is not dict or set(data) != set(names):
        raise ValueError("a tape has the keys " + ", ".join(names))
    groups, constants, operations, outputs, pattern = (_items(data[name]) for name in names)
    for length in groups:
        if length is not None:
            _check_number(length, limit=2**31)
    inputs = size(groups)
    first = inputs + len(constants)
    for position, operation in enumerate(operations, start=first):
        name, *operands = _items(operation)
        if type(name) is not str or ARITY.get(name) != len(operands):
            raise ValueError("unknown operation, or wrong number of operands")
        for operand in operands:
            _check_number(operand, limit=position)
    for output in outputs:
        _check_number(output, limit=first + len(operations))
    for position in pattern:
        row, column = _items(position)
        _check_number(row, limit=2**31)
        _check_number(column, limit=2**31)
    if len(pattern) > len(outputs):
        raise ValueError("a pattern of more numbers than outputs")
    return Tape(
        tuple(groups),
        tuple(_constant(text) for text in constants),
        tuple(tuple(operation) for operation in operations),
        tuple(outputs),
        tuple((row, column) for row, column in pattern),
    )


def _items(value: Any) -> list[Any]:
    if type(value) is not list:
        raise ValueError("a list is expected")
    return value


def _check_number(value: Any, limit: int) -> None:
    # bool is an int to isinstance, and no value number
    if type(value) is not int or not 0 <= value < limit:
        raise ValueError("a number out of range")


def _constant(text: Any) -> float:
    if type(text) is not str:
        raise ValueError("a constant is a hexadecimal string")
    try:
        return float.fromhex(text)
    except OverflowError as error:
        raise ValueError("a constant out of range") from error
