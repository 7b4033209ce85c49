"""Where each key of a TOML text stands."""

import tomllib

import numpy as np
import pytest

from occore.case.lines import key_lines

TEXT = '''# a comment
title = "a = b # not a comment"
[data]
kind = "csv"
"quoted key" = 1
table = { inner = { deep = 1 }, other = [
  1,
  2,  # a comment, with a comma
] }

[[phase]]
name = "one"
dynamics = { kind = "linear", width = 2 }
[phase.start]
x = 0.0
[[phase]]
name = """two
lines"""
a.b.c = 'x'
[[phase.constraint]]
max = 1
[[phase.constraint]]
max = 2
[objective]
'''


def test_every_key_has_its_line():
    lines = key_lines(TEXT)
    expected = {
        ("title",): 2,
        ("data",): 3,
        ("data", "kind"): 4,
        ("data", "quoted key"): 5,
        ("data", "table", "inner", "deep"): 6,
        ("data", "table", "other", 1): 8,
        ("phase", 0): 11,
        ("phase", 0, "dynamics", "width"): 13,
        ("phase", 0, "start"): 14,
        ("phase", 0, "start", "x"): 15,
        ("phase", 1): 16,
        ("phase", 1, "name"): 17,
        ("phase", 1, "a", "b", "c"): 19,
        ("phase", 1, "constraint", 0, "max"): 21,
        ("phase", 1, "constraint", 1, "max"): 23,
        ("objective",): 24,
    }
    assert {path: lines.get(path) for path in expected} == expected


def paths(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, (dict, list)):
            yield from paths(item, (*path, key))
        else:
            yield (*path, key)


def test_nothing_is_missed_or_invented():
    assert set(key_lines(TEXT)) == set(paths(tomllib.loads(TEXT)))


@pytest.mark.parametrize("seed", range(20))
def test_random_documents(seed):
    """Each key holds the number of its line."""
    rng = np.random.default_rng(seed)
    text, number = "", 0
    for table in range(rng.integers(1, 5)):
        for _ in range(rng.integers(0, 3)):
            text, number = text + ["\n", "# x = 1\n", "   \n"][rng.integers(3)], number + 1
        text, number = text + f"[[t{rng.integers(2)}]]\n", number + 1
        for key in range(rng.integers(0, 4)):
            forms = [
                f"k{key} = {number + 1}\n",
                f"k{key} = [ # ]\n {number + 1}, '#' ]\n",
                f"k{key}.x = {{ y = {number + 1}, z = '}}' }}\n",
                f'k{key} = """\n\\"""\n"""\n',
            ]
            form = forms[rng.integers(len(forms))]
            text, number = text + form, number + form.count("\n")
        assert table >= 0
    lines, tables = key_lines(text), tomllib.loads(text)
    for path in paths(tables):
        value = tables
        for part in path:
            value = value[part]
        if isinstance(value, int):
            assert lines[path] in (value, value + 1)
