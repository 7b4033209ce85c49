"""The first sieve of expressions: characters, words, counts and nesting.

So that Python's parser meets nothing that it warns of or is slow on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from occore.symbolic.vocabulary import ExpressionError, fault, shortened

MOST_TOKENS = 2000
DEEPEST = 50

TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<number>(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9][0-9_]*)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<operator>[-+*/])|(?P<comma>,)|(?P<open>\()|(?P<close>\))"
)

HINT = "use numbers, declared names, + - * / **, parentheses and functions"

HINTS: Mapping[str, str] = {
    "^": "write ** for a power",
    **dict.fromkeys("<>=!", "comparisons are not allowed; abs, sign, min and max are"),
    **dict.fromkeys(".[", "attributes and subscripts are not allowed"),
}


@dataclass(frozen=True)
class Text:
    """What is written, and how an error says where."""

    text: str

    def refuse(self, offset: int, problem: str) -> NoReturn:
        """Raise the error of a problem at an offset."""
        line = self.text.count("\n", 0, offset) + 1
        column = offset - self.text.rfind("\n", 0, offset)
        place = f"line {line}, column {column}" if "\n" in self.text else f"column {column}"
        raise ExpressionError(f"expression {shortened(self.text, offset)!r}, {place}: {problem}")

    def part(self, start: int, end: int) -> str:
        """What is written from one offset to another, shortened, in quotes."""
        return repr(shortened(self.text[start:end]))

    def check_tokens(self) -> None:
        """Refuse any other characters or words, too many, too deep, two operands in a row."""
        position, count, previous = 0, 0, ""
        opened: list[tuple[int, bool]] = []  # where, and whether arguments are inside
        while position < len(self.text):
            token = TOKEN.match(self.text, position)
            if token is None:
                character = self.text[position]
                self.refuse(position, f"{character!r} is not allowed: {HINTS.get(character, HINT)}")
            kind, word = str(token.lastgroup), token.group()
            if kind == "name" and (problem := fault(word)):
                self.refuse(position, problem)
            if previous in ("number", "name", "close") and kind in ("number", "name", "open"):
                if (previous, kind) != ("name", "open"):
                    self.refuse(position, "an operator is missing; a product needs *")
            if kind == "open":
                opened.append((position, previous == "name"))
            elif kind == "close":
                if not opened:
                    self.refuse(position, "this parenthesis closes nothing")
                opened.pop()
            elif kind == "comma" and not (opened and opened[-1][1]):
                self.refuse(position, "a comma is only allowed between arguments of a function")
            if len(opened) > DEEPEST:
                self.refuse(position, f"more than {DEEPEST} parentheses inside each other")
            if kind != "space":
                count, previous = count + 1, kind
            if count > MOST_TOKENS:
                self.refuse(position, f"more than {MOST_TOKENS} numbers, names and operators")
            position = token.end()
        if opened:
            self.refuse(opened[-1][0], "this parenthesis is not closed")
        if not count:
            self.refuse(0, "nothing is written; zero is 0")
