"""HDF5 files: round trips, each error, and files that reach for other files or for memory."""

import h5py
import numpy as np
import pytest

from occore import DataError
from occore_least_squares.datasets.hdf5 import Hdf5


@pytest.fixture
def file(tmp_path):
    """An open file with inputs g/x and targets y; it is closed before it is read."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["g/x"] = np.arange(6.0).reshape(3, 2)
        file["y"] = np.array([7, 5, 7])
        yield file


@pytest.fixture
def read(file, load):
    """Close the file and load it."""

    def read(inputs="g/x", targets=None, task=None):
        file.close()
        return load(Hdf5("a.h5", inputs=inputs, targets=targets, task=task))

    return read


def test_round_trip(read):
    data = read(targets="y")
    assert data.inputs.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert data.targets.tolist() == [[7], [5], [7]]


def test_classes(read):
    data = read("/g/x", "y", "classification")
    assert data.classes == ("5", "7") and data.targets.tolist() == [[0, 1], [1, 0], [0, 1]]


def test_texts_and_bools(file, read):
    file["z"] = np.char.encode(["b", "ä", "b"], "utf-8")
    file["x"] = np.array([True, False, True])
    data = read("x", "z")
    assert data.inputs.tolist() == [[1], [0], [1]] and data.classes == ("b", "ä")


@pytest.mark.parametrize(
    "options",
    [{"compression": "gzip"}, {"compression": "lzf", "shuffle": True}, {"fletcher32": True}],
)
@pytest.mark.parametrize("dtype", ["f4", ">f8", "i1", "u8"])
def test_filters_and_types(file, read, options, dtype):
    values = np.arange(60).reshape(20, 3).astype(dtype)
    file.create_dataset("x", data=values, chunks=(7, 2), **options)
    assert np.array_equal(read("x").inputs, values)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("yy", r"no entry 'yy'\. Did you mean 'y'\? Known: 'g', 'y'"),
        ("g/y", r"no entry 'y'\. Known: 'x'"),
        ("g", r"is no dataset; it is a group of: 'x'"),
        ("y/x", r"'x' is looked for in a dataset"),
        ("", "a name of 1 to 16 steps"),
        ("a/" * 99, "a name of 1 to 16 steps"),
        ("..", "no entry"),
        (".", "sound HDF5|no entry|no dataset"),
    ],
)
def test_names(read, name, message):
    with pytest.raises(DataError, match=message):
        read(name)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), "compound or other type"),
        (np.array([1j, 2, 3]), "compound or other type"),
        (np.array(["a", "b", "c"], object), "texts of varying length"),
        (np.array([1, np.inf, 3]), "is inf at index"),
        (3.0, r"shape \(\)"),
        (h5py.Empty("f8"), r"shape|empty"),
        (np.zeros((0, 3)), r"shape \(0, 3\)"),
        (np.array([b"1", b"2", b"3"]), "real numbers are expected"),
    ],
)
def test_values(file, read, values, message):
    file["x"] = values
    with pytest.raises(DataError, match=message):
        read("x")


def test_references_and_named_types(file, read):
    file["t"] = np.dtype("f8")
    file["r"] = np.array([file["y"].ref], h5py.ref_dtype)
    with pytest.raises(DataError, match="is no dataset"):
        read("t")


@pytest.fixture
def other(tmp_path):
    """A file beside, of which nothing may be read."""
    with h5py.File(tmp_path / "b.h5", "w") as other:
        other["g/x"] = np.eye(3)
    (tmp_path / "raw").write_bytes(bytes(24))
    return "b.h5"


@pytest.mark.parametrize("name", ["soft", "loop", "external", "folder/x", "softfolder/x"])
def test_links_are_not_followed(file, read, other, name):
    file["soft"] = h5py.SoftLink("/g/x")
    file["loop"] = h5py.SoftLink("/loop")
    file["external"] = h5py.ExternalLink(other, "/g/x")
    file["folder"] = h5py.ExternalLink(other, "/g")
    file["softfolder"] = h5py.SoftLink("/g")
    with pytest.raises(DataError, match="is a soft or external link, which is not followed"):
        read(name)


def test_cycle_of_hard_links(file, read):
    file["g/g"] = file["g"]
    assert read("g/g/g/x").samples == 3


def test_storage_in_other_files(file, read, other, load):
    file.create_dataset("raw", (3,), "f8", external=[("raw", 0, 24)])
    layout = h5py.VirtualLayout((3, 3), "f8")
    layout[:] = h5py.VirtualSource(other, "g/x", (3, 3))
    file.create_virtual_dataset("virtual", layout)
    for name in ("raw", "virtual"):
        with pytest.raises(DataError, match="keeps its content in other files"):
            read(name)


def test_sizes_are_not_believed(file, read):
    file.create_dataset("huge", (2**40,), "f8", chunks=(1024,))
    file.create_dataset("chunk", (1,), "f8", chunks=(2**28,), maxshape=(None,))
    file.create_dataset("bomb", (2**29,), "u1", chunks=(2**20,), compression="gzip")
    for name in ("huge", "chunk", "bomb"):
        with pytest.raises(DataError, match=r"declares \d+ bytes, but a file of"):
            read(name)


def test_unknown_filter(file, read):
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((3,))
    properties.set_filter(32015, h5py.h5z.FLAG_OPTIONAL)
    space = h5py.h5s.create_simple((3,))
    h5py.h5d.create(file.id, b"x", h5py.h5t.IEEE_F64LE, space, properties)
    with pytest.raises(DataError, match="unknown filter 32015"):
        read("x")


@pytest.mark.parametrize("content", [b"", b"1,2,3\n", b"\x89HDF\r\n\x1a\n" + bytes(99)])
def test_other_files(load, write, content):
    write("b.h5", content)
    with pytest.raises(DataError, match="no sound HDF5 file"):
        load(Hdf5("b.h5", inputs="x"))


def test_truncation(file, load, write, tmp_path):
    file.close()
    content = (tmp_path / "a.h5").read_bytes()
    for size in range(0, len(content) - 1, 128):
        write("b.h5", content[:size])
        with pytest.raises(DataError):
            load(Hdf5("b.h5", inputs="g/x"))
