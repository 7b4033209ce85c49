"""Hostile files: refused with one line, in bounded time, and nothing of another file is read."""

import os
import time

import h5py
import numpy as np
import pytest

from occore.errors import RunFileError
from occore.storage.guard import guarded
from occore.storage.record import RunRecord
from occore.storage.run import open_run
from occore.storage.writer import write_run

SECRET = b"the secret of another file"


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.h5"
    k = np.arange(5)
    write_run(
        path,
        RunRecord("t", "converged", "now", "0", "", "", {"iteration": k, "objective": 1.0 * k}),
    )
    return path


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret.txt"
    path.write_bytes(SECRET)
    return path


def external_storage(file, secret):
    file.create_dataset("x", (len(SECRET),), "u1", external=[(str(secret), 0, len(SECRET))])


def external_link(file, secret):
    file["x"] = h5py.ExternalLink(str(secret.with_name("good.h5")), "/history")


def link_on_the_way(file, secret):
    file.create_group("real").create_dataset("y", data=[1.0])
    file["x"] = h5py.SoftLink("/real")


def soft_loop(file, secret):
    file["x"] = h5py.SoftLink("/x")


def hard_cycle(file, secret):
    group = file.create_group("x")
    group["again"] = file["/"]


def virtual(file, secret):
    layout = h5py.VirtualLayout((5,), "f8")
    layout[:] = h5py.VirtualSource(str(secret.with_name("good.h5")), "history/objective", (5,))
    file.create_virtual_dataset("x", layout)


def named_type(file, secret):
    file["x"] = np.dtype("f8")


def compound(file, secret):
    file["x"] = np.zeros(3, dtype=[("a", "f8"), ("b", "i4")])


def references(file, secret):
    file.create_dataset("x", data=[file["history"].ref], dtype=h5py.ref_dtype)


def vlen(file, secret):
    dataset = file.create_dataset("x", (1,), h5py.vlen_dtype("f8"))
    dataset[0] = np.zeros(10)


def eight_tebibytes(file, secret):
    file.create_dataset("x", (2**40,), "f8", chunks=(1024,))


def gzip_bomb(file, secret):
    x = file.create_dataset("x", (2**27,), "u1", chunks=(2**16,), compression="gzip")
    x[: 2**16] = 0


def lzf_filter(file, secret):
    file.create_dataset("x", data=np.zeros(1000), compression="lzf", chunks=(1000,))


def many_groups(file, secret):
    for k in range(10_050):
        file.create_group(f"g{k}")


def deep(file, secret):
    group = file["/"]
    for _ in range(1000):
        group = group.create_group("g")


def many_attributes(file, secret):
    for k in range(100):
        file.attrs[f"a{k}"] = k


ATTACKS = [
    external_storage,
    external_link,
    link_on_the_way,
    soft_loop,
    hard_cycle,
    virtual,
    named_type,
    compound,
    references,
    vlen,
    eight_tebibytes,
    gzip_bomb,
    lzf_filter,
    many_groups,
    deep,
    many_attributes,
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_attacks_are_refused(good, secret, attack):
    with h5py.File(good, "a") as file:
        attack(file, secret)
    begin = time.perf_counter()
    with pytest.raises(RunFileError) as caught:
        open_run(good)
    assert time.perf_counter() - begin < 5  # bounded; a run file takes milliseconds
    text = str(caught.value)
    assert "\n" not in text
    assert SECRET.decode() not in text


def test_a_huge_attribute(tmp_path):
    path = tmp_path / "attribute.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["x"] = np.zeros(2**20)
    with pytest.raises(RunFileError, match="attribute"), guarded(path) as file:
        file.attributes()


@pytest.mark.parametrize("kind", ["empty", "text", "folder", "pipe", "missing", "foreign"])
def test_things_that_are_no_run_files(tmp_path, kind):
    path = tmp_path / "thing"
    if kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("title = 'no'")
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "foreign":
        with h5py.File(path, "w") as file:
            file["x"] = [1.0]
    with pytest.raises(RunFileError) as caught:
        open_run(path)
    assert "\n" not in str(caught.value)


def read_all(path):
    """Everything that inspect and resume would read, or RunFileError."""
    run = open_run(path)
    run.record()
    for row in run.tree():
        run[row.path]


def test_truncation_at_every_512th_byte(good, tmp_path):
    content = good.read_bytes()
    path = tmp_path / "cut.h5"
    for length in range(0, len(content), 512):
        path.write_bytes(content[:length])
        with pytest.raises(RunFileError) as caught:
            read_all(path)
        assert "\n" not in str(caught.value)


def test_flipped_bits(good, tmp_path, rng):
    """A damaged file opens with other numbers, or is refused in one line; nothing else happens."""
    content = np.frombuffer(good.read_bytes(), np.uint8)
    path, refused = tmp_path / "flipped.h5", 0
    for _ in range(300):
        damaged = content.copy()
        damaged[rng.integers(len(content))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged.tobytes())
        try:
            read_all(path)
        except RunFileError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 10
