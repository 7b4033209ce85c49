"""The words of expressions: functions, constants, and names that stand for quantities."""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from occore.errors import InputError

if TYPE_CHECKING:  # SymPy takes long to import, and names are checked without it
    import sympy

LONGEST_NAME = 64
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class ExpressionError(InputError):
    """An expression or a name is not allowed; the message says where and what would be."""


class Function(NamedTuple):
    """What a call means: the function of SymPy, that of floats, and the counts of arguments."""

    sympy_name: str
    value: Callable[..., Any]
    least: int = 1
    most: float = 1


FUNCTIONS: Mapping[str, Function] = {
    **{name: Function(name, getattr(math, name)) for name in (
        "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh",
        "asinh", "acosh", "atanh", "exp", "log", "sqrt",
    )},
    "atan2": Function("atan2", math.atan2, 2, 2),
    "abs": Function("Abs", abs),
    "sign": Function("sign", lambda a: (a > 0) - (a < 0)),
    "min": Function("Min", min, 2, math.inf),
    "max": Function("Max", max, 2, math.inf),
}  # fmt: skip
"""Every function that an expression may call."""

CONSTANTS: Mapping[str, float] = {"pi": math.pi}
"""Every name that has a value of its own."""


def check_name(name: str) -> None:
    """Raise ExpressionError unless `name` can stand for a quantity in expressions.

    A name has ASCII letters, digits and underscores, does not start with a digit, has no two
    underscores in a row, is no keyword of Python, and is neither a function nor a constant here.
    """
    problem = fault(name)
    if name in FUNCTIONS or name in CONSTANTS:
        kind = "function" if name in FUNCTIONS else "constant"
        problem = f"{name!r} is a {kind} of expressions and cannot name anything else"
    if problem:
        raise ExpressionError(problem)


def symbol(name: str) -> sympy.Symbol:
    """The symbol that stands for a declared name everywhere in occore. Raises ExpressionError."""
    import sympy

    check_name(name)
    return sympy.Symbol(name, real=True)


def fault(name: str) -> str | None:
    """Why a name cannot stand for a quantity."""
    if len(name) > LONGEST_NAME:
        short, length = shortened(name), len(name)
        return f"the name {short!r} has {length} characters; at most {LONGEST_NAME} can be"
    if not NAME.fullmatch(name):
        return f"{name!r} is not a name: expected ASCII letters, digits and _, not a digit first"
    if "__" in name:
        return f"the name {name!r} has two underscores in a row"
    if keyword.iskeyword(name):
        return f"{name!r} is a keyword of Python and cannot be a name"
    return None


def shortened(text: str, offset: int = 0, width: int = 60) -> str:
    """The part of a text around an offset."""
    start = max(0, min(offset - width // 2, len(text) - width))
    end = start + width
    return "…" * (start > 0) + text[start:end] + "…" * (end < len(text))
