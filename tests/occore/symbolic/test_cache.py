"""What is read from the cache is data, checked completely: nothing hostile gets further."""

import copy
import json
import random
import stat

import numpy as np
import pytest
import sympy

from occore.symbolic import cache
from occore.symbolic.array_kernel import ArrayKernel
from occore.symbolic.kernels import derived
from occore.symbolic.lowering import lower
from occore.symbolic.tape import Tape, tape_from_data

a, b = sympy.symbols("a b", real=True)


@pytest.fixture
def tape():
    return lower([a, [b]], [sympy.sin(a * b) + 0.1, sympy.Piecewise((a, a > b), (b, True))])


def test_round_trip(tape):
    assert tape_from_data(json.loads(json.dumps(tape.data()))) == tape


def test_a_hit_gives_the_same_numbers(tape, cache_folder):
    first = derived(tape, "vjp", (0, 1))
    (file,) = cache_folder.iterdir()
    before = file.stat().st_mtime_ns
    second = derived(tape, "vjp", (0, 1))
    assert second == first
    assert file.stat().st_mtime_ns == before
    point = (0.3, np.array([0.7]), np.array([1.0, 2.0]))
    np.testing.assert_array_equal(ArrayKernel(second)(*point), ArrayKernel(first)(*point))


def test_the_folder_is_private(tape, cache_folder):
    derived(tape, "jvp", (0,))
    assert stat.S_IMODE(cache_folder.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in cache_folder.iterdir())


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_a_folder_that_others_can_write_to_is_not_used(tape, cache_folder, mode):
    cache_folder.mkdir()
    cache_folder.chmod(mode)
    assert cache.folder() is None
    assert derived(tape, "jvp", (0,)) == derived(tape, "jvp", (0,))
    assert list(cache_folder.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_no_error(tape, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("OCCORE_CACHE", str(tmp_path / "file" / "cache"))
    assert derived(tape, "jvp", (0,)).outputs


def test_the_key_tells_tapes_and_kinds_apart(tape):
    other = lower([a, [b]], [sympy.sin(a * b) + 0.2])
    assert len({cache.key(tape, "vjp"), cache.key(tape, "jvp"), cache.key(other, "vjp")}) == 3


HOSTILE = {
    "unknown operation": lambda d: d["operations"].append(["__import__('os').system('x')", 0]),
    "operation that is no text": lambda d: d["operations"].append([["sin"], 0]),
    "no operation": lambda d: d["operations"].append([]),
    "too many operands": lambda d: d["operations"].append(["sin", 0, 0]),
    "operand of its own": lambda d: d["operations"].append(["sin", 99]),
    "negative operand": lambda d: d["operations"].append(["sin", -1]),
    "operand as text": lambda d: d["operations"].append(["sin", "0); evil("]),
    "operand as truth value": lambda d: d["operations"].append(["sin", True]),
    "operand as float": lambda d: d["operations"].append(["sin", 0.0]),
    "constant as code": lambda d: d["constants"].append("__import__('os')"),
    "constant as number": lambda d: d["constants"].append(1.0),
    "constant too large": lambda d: d["constants"].append("0x1p99999"),
    "output out of range": lambda d: d["outputs"].append(10**30),
    "group as text": lambda d: d["groups"].append("1]; evil(["),
    "huge group": lambda d: d["groups"].append(2**40),
    "pattern of code": lambda d: d["pattern"].append(["0", "evil"]),
    "pattern of one number": lambda d: d["pattern"].append([0]),
    "pattern that is longer": lambda d: d["pattern"].extend([[0, 0]] * 9),
    "missing key": lambda d: d.pop("outputs"),
    "further key": lambda d: d.update(evil="evil"),
    "not a list": lambda d: d.update(operations={"sin": 0}),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_tapes_are_refused(tape, change):
    data = copy.deepcopy(tape.data())
    change(data)
    with pytest.raises(ValueError):
        tape_from_data(data)


@pytest.mark.parametrize("text", [
    b"", b"null", b"[" * 100_000, b'{"groups": ' + b"9" * 10_000 + b"}", b"\xff\xfe", b"NaN",
])  # fmt: skip
def test_damaged_files_are_replaced(tape, cache_folder, text):
    expected = derived(tape, "vjp", (0, 1))
    (file,) = cache_folder.iterdir()
    file.write_bytes(text)
    assert derived(tape, "vjp", (0, 1)) == expected
    assert tape_from_data(json.loads(file.read_text())) == expected


def test_a_file_that_is_too_large_is_not_read(tape, monkeypatch):
    name = cache.key(tape, "x")
    cache.store(name, tape)
    assert cache.load(name) == tape
    monkeypatch.setattr(cache, "LARGEST_FILE", 10)
    assert cache.load(name) is None


def test_mutations_give_a_tape_or_a_value_error(tape):
    """Whatever passes the check prints as source that runs: numbers and operations only."""
    source, text = random.Random(7), json.dumps(tape.data())  # noqa: S311 - no secret
    accepted = 0
    for _ in range(3000):
        changed = list(text)
        for _ in range(source.randint(1, 3)):
            changed[source.randrange(len(changed))] = source.choice('0123456789-[],"xp.')
        try:
            mutant = tape_from_data(json.loads("".join(changed)))
        except ValueError:
            continue
        assert isinstance(mutant, Tape)
        if mutant.groups == tape.groups and accepted < 50:
            accepted += 1
            with np.errstate(all="ignore"):
                ArrayKernel(mutant)(0.3, np.array([0.7]))
    assert accepted
