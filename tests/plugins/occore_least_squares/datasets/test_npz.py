"""NPZ files: round trips, each error, and files that want to run code or fill the memory."""

import io
import pickle
import struct
import zipfile

import numpy as np
import pytest

from occore import DataError
from occore_least_squares.datasets.npz import Npz


@pytest.fixture
def save(write):
    """Write arrays as numpy.savez does."""

    def save(save=np.savez, **arrays):
        content = io.BytesIO()
        save(content, **arrays)
        return write("a.npz", content.getvalue())

    return save


def npy(header, content=b""):
    """A member with any header."""
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


@pytest.fixture
def pack(write):
    """Write an archive whose member x has this content."""

    def pack(content, compression=zipfile.ZIP_DEFLATED):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", compression) as file:
            file.writestr("x.npy", content)
        return write("a.npz", archive.getvalue())

    return pack


@pytest.mark.parametrize("writer", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("dtype", ["f8", ">f4", "f2", "i2", "u1", "?"])
def test_round_trip(load, save, writer, dtype):
    x = np.random.default_rng(1).integers(0, 2, (5, 3, 2)).astype(dtype)
    y = np.arange(10.0).reshape(2, 5).T  # in Fortran order
    save(writer, x=x, y=y)
    data = load(Npz("a.npz", inputs="x", targets="y"))
    assert np.array_equal(data.inputs, x) and np.array_equal(data.targets, y)


def test_vectors_become_columns(load, save):
    save(x=np.arange(3), y=np.arange(3) / 2)
    data = load(Npz("a.npz", inputs="x", targets="y"))
    assert data.inputs.tolist() == [[0], [1], [2]] and data.targets.tolist() == [[0], [0.5], [1]]


@pytest.mark.parametrize(
    ("labels", "task", "classes"),
    [
        ([3, 1, 3], "classification", ("1", "3")),
        ([3.0, 1.0, 3.0], "classification", ("1", "3")),
        ([[3], [1], [3]], "classification", ("1", "3")),
        ([True, False, True], "classification", ("False", "True")),
        (["b", "a", "b"], None, ("a", "b")),
        (np.array(["b", "a", "b"], "S"), None, ("a", "b")),
        ([[0, 1], [1, 0], [0, 1]], "classification", ("0", "1")),
    ],
)
def test_classes(load, save, labels, task, classes):
    save(x=np.eye(3), y=np.array(labels))
    data = load(Npz("a.npz", inputs="x", targets="y", task=task))
    assert data.classes == classes and data.targets.tolist() == [[0, 1], [1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("arrays", "task", "message"),
    [
        ({"x": None, "X": np.eye(3)}, None, r"no array 'x'\. Did you mean 'X'\? Known: 'y', 'X'"),
        ({"y": None}, None, r"no array 'y'\. Known: 'x'"),
        ({"x": np.eye(2), "y": np.arange(3)}, None, r"shape \(3,\), but .* 'x' has 2 samples"),
        ({"x": np.eye(3) * 1j}, None, "type complex128; numbers, bools"),
        ({"x": np.array(["1", "2", "3"])}, None, "type <U1; real numbers are expected"),
        ({"x": np.float64(1)}, None, r"shape \(\); \(samples, …\)"),
        ({"x": np.zeros((0, 3))}, None, r"shape \(0, 3\)"),
        ({"x": np.zeros((3, 0))}, None, r"shape \(3, 0\)"),
        ({"x": np.array([[1, 2], [3, np.nan]])}, None, r"is nan at index \(1, 1\), and 1 of its 4"),
        ({"y": np.array([1.5, 2, 3])}, "classification", "is 1.5 at index 0; classes are"),
        ({"y": np.array([1, np.nan, 3])}, "classification", "is nan at index 1; classes are"),
        ({"y": np.ones((3, 2))}, "classification", "its rows are not one-hot"),
        ({"y": np.ones((3, 2, 2))}, "classification", "one class for each sample"),
        ({"y": np.array(["a", "b", "c"])}, "regression", 'set task = "classification"'),
        ({"y": np.array([b"\xff", b"a", b"b"])}, None, "texts that are not UTF-8"),
        ({"y": np.array([2**31, 7, 8], "<u4").view("<U1")}, None, "not Unicode"),
        ({"y": np.array([0xD800, 7, 8], "<u4").view("<U1")}, None, "not Unicode"),
    ],
)
def test_error(load, save, arrays, task, message):
    arrays = {"x": np.eye(3), "y": np.arange(3)} | arrays
    save(**{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(DataError, match=message):
        load(Npz("a.npz", inputs="x", targets="y", task=task))


class Trap:
    """Unpickling it fails the test."""

    def __reduce__(self):
        return pytest.fail, ("something was unpickled",)


def test_pickles_are_not_opened(load, save, write):
    save(x=np.array([Trap()], dtype=object))
    with pytest.raises(DataError, match="holds Python objects, which are never unpickled"):
        load(Npz("a.npz", inputs="x"))
    write("a.npz", pickle.dumps(Trap()))
    with pytest.raises(DataError, match=r"this is no sound \.npz file"):
        load(Npz("a.npz", inputs="x"))


def test_only_named_members_are_read(load, save):
    save(x=np.eye(2), trap=np.array([Trap()], dtype=object))
    assert load(Npz("a.npz", inputs="x")).samples == 2


def test_zip_bomb(load, pack):
    size = 300 * 2**20
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({size},)}}"
    path = pack(npy(header, bytes(size)))
    assert path.stat().st_size < 2**20
    with pytest.raises(
        DataError, match=r"declares 3145.* bytes, but a file of .* damaged or hosti"
    ):
        load(Npz("a.npz", inputs="x"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,)}"), "declares 87"),
        (
            npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", b"12345678"),
            "more or few",
        ),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", b"123456789"), "more or f"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -1)}", bytes(8)), "lengths"),
        (npy(f"{{'descr': '<f8', 'fortran_order': False, 'shape': (1{'0' * 4000},)}}"), "lengths"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (" + "1," * 99 + ")}"), "lengths"),
        (npy("{'descr': '|V8', 'fortran_order': False, 'shape': (1,)}", bytes(8)), "type"),
        (npy("{'descr': '<U0', 'fortran_order': False, 'shape': (9,)}"), "type <U0"),
        (npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", bytes(8)), "Python objects"),
        (npy("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}", bytes(8)), "type"),
        (npy("__import__('os').abort()"), "no sound header"),
        (npy("(" * 9000), "no sound header"),
        (npy("[" * 90 + "]" * 90), "no sound header"),
        (npy("{}"), "no sound header"),
        (npy(" " * 60000), "no sound header"),
        (b"\x93NUMPY\x03\x00", "version"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff{", "no sound header"),
        (b"1,2,3", "no sound header"),
        (b"", "no sound header"),
    ],
)
def test_hostile_header(load, pack, content, message):
    pack(content)
    with pytest.raises(DataError, match=message):
        load(Npz("a.npz", inputs="x"))


def test_other_compression(load, pack):
    pack(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1,)}", b"1"), zipfile.ZIP_LZMA)
    with pytest.raises(DataError, match="unknown compression"):
        load(Npz("a.npz", inputs="x"))


def test_npy_is_told_apart(load, write):
    content = io.BytesIO()
    np.save(content, np.eye(2))
    write("a.npz", content.getvalue())
    with pytest.raises(DataError, match=r"write it with numpy\.savez"):
        load(Npz("a.npz", inputs="x"))


@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_damage_is_an_error_or_harmless(load, save, write, damage):
    content = save(np.savez_compressed, x=np.eye(4), y=np.arange(4)).read_bytes()
    for k in range(len(content)):
        flipped = content[:k] + bytes([content[k] ^ 0xFF]) + content[k + 1 :]
        write("a.npz", content[:k] if damage == "cut" else flipped)
        try:
            data = load(Npz("a.npz", inputs="x", targets="y"))
        except DataError:
            continue
        assert damage == "flip" and np.array_equal(data.inputs, np.eye(4))
