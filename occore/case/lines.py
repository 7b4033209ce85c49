"""Where each key of a TOML text stands, for error messages.

`tomllib` checks the syntax but keeps no positions. This walks a text that it accepted and notes the
line of every key; it never looks at a value's meaning.
"""

from __future__ import annotations

import re

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"""[ \t]*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))[ \t]*""")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL
)
_SCALAR = re.compile(r"[^,\]}\n#]*")


def key_lines(text: str) -> dict[Path, int]:
    """The line of each key and array element, by its path; tables have the line of their header."""
    walker = _Walker(text)
    walker.document()
    return walker.lines


class _Walker:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.lines: dict[Path, int] = {(): 1}
        self.counts: dict[Path, int] = {}

    def document(self) -> None:
        table: Path = ()
        while self._skip():
            if self._take("[["):
                path = self._array_path(self._keys())
                table = (*path, self.counts.get(path, 0))
                self.counts[path] = table[-1] + 1
                self._note(path)
                self._note(table)
                self._take("]]")
            elif self._take("["):
                table = self._array_path(self._keys(), last=True)
                self._note(table)
                self._take("]")
            else:
                self._entry(table)

    def _entry(self, table: Path) -> None:
        """`key = value` below a table."""
        path = (*table, *self._keys())
        for end in range(len(table) + 1, len(path) + 1):
            self._note(path[:end])
        self._take("=")
        self._value(path)

    def _value(self, path: Path) -> None:
        self._blanks()
        if string := _STRING.match(self.text, self.at):
            self.at = string.end()
        elif self._take("{"):
            while self._skip() and not self._take("}"):
                if not self._take(","):
                    self._entry(path)
        elif self._take("["):
            index = 0
            while self._skip() and not self._take("]"):
                if not self._take(","):
                    self._note((*path, index))
                    self._value((*path, index))
                    index += 1
        else:
            scalar = _SCALAR.match(self.text, self.at)
            self.at = scalar.end() if scalar else len(self.text)

    def _keys(self) -> Path:
        keys: list[str] = []
        while match := _KEY.match(self.text, self.at):
            keys.append(next(group for group in match.groups() if group is not None))
            self.at = match.end()
            if not self._take("."):
                break
        return tuple(keys)

    def _array_path(self, keys: Path, last: bool = False) -> Path:
        """A header's path with the index of the newest element of each array of tables in it."""
        path: Path = ()
        for position, key in enumerate(keys):
            path = (*path, key)
            inner = position < len(keys) - 1 or last
            if inner and path in self.counts:
                path = (*path, self.counts[path] - 1)
        return path

    def _note(self, path: Path) -> None:
        self.lines.setdefault(path, self.text.count("\n", 0, self.at) + 1)

    def _skip(self) -> bool:
        """Go over blanks and comments; whether text is left."""
        blank = _BLANK.match(self.text, self.at)
        self.at = blank.end() if blank else self.at
        return self.at < len(self.text)

    def _blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t":
            self.at += 1

    def _take(self, token: str) -> bool:
        if self.text.startswith(token, self.at):
            self.at += len(token)
            return True
        return False
