"""IDX files: MNIST where OCCORE_DATA has it, written files, each error, and hostile headers."""

import gzip
import hashlib
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from occore import DataError, InputError
from occore_least_squares.datasets.idx import Idx

CODES = {"u1": 8, "i1": 9, ">i2": 11, ">i4": 12, ">f4": 13, ">f8": 14}


def idx(values, dtype="u1"):
    """The bytes of an IDX file."""
    values = np.asarray(values, dtype)
    return struct.pack(f">4B{values.ndim}I", 0, 0, CODES[dtype], values.ndim, *values.shape) + (
        values.tobytes()
    )


IMAGES = np.arange(3 * 2 * 4).reshape(3, 2, 4) * 10


@pytest.fixture
def pair(write):
    """Three images and their labels."""
    return write("images", idx(IMAGES)), write("labels.gz", gzip.compress(idx([2, 0, 2])))


def test_round_trip(load, pair):
    data = load(Idx("images", "labels.gz"))
    assert np.allclose(data.inputs, IMAGES.reshape(3, 8) / 255, rtol=1e-15, atol=0)
    assert data.targets.tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 1]]
    assert data.classes == ("0", "1", "2")
    content = b"".join(path.read_bytes() for path in pair)
    assert data.digest == f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_options(load, pair):
    data = load(Idx("images", "labels.gz", samples=2, flatten=False, scale=0.5))
    assert np.array_equal(data.inputs, IMAGES[:2] / 2)
    assert data.targets.tolist() == [[0, 0, 1], [1, 0, 0]]
    assert load(Idx("images")).targets is None


@pytest.fixture
def held_out_pair(write):
    """Two more images, of which one has a class that the first three do not show."""
    write("test", idx(IMAGES[:2] + 1))
    write("test-labels", idx([3, 0]))


@pytest.mark.usefixtures("pair", "held_out_pair")
def test_a_test_set_is_held_out(load):
    data = load(Idx("images", "labels.gz", "test", "test-labels", samples=2))
    assert data.samples == 2
    assert data.classes == data.held_out.classes == ("0", "1", "2", "3")
    assert data.targets.tolist() == [[0, 0, 1, 0], [1, 0, 0, 0]]
    assert data.held_out.targets.tolist() == [[0, 0, 0, 1], [1, 0, 0, 0]]
    assert np.allclose(data.held_out.inputs, (IMAGES[:2] + 1).reshape(2, 8) / 255, rtol=1e-15)
    assert data.digest != load(Idx("images", "labels.gz")).digest
    assert load(Idx("images", held_out_inputs="test")).held_out.targets is None


@pytest.mark.usefixtures("pair", "held_out_pair")
@pytest.mark.parametrize(
    "files",
    [
        {"labels": "labels.gz", "held_out_inputs": "test"},
        {"held_out_inputs": "test", "held_out_labels": "test-labels"},
        {"labels": "labels.gz", "held_out_labels": "test-labels"},
    ],
)
def test_a_test_set_is_named_as_a_whole(files):
    with pytest.raises(InputError, match="held_out_inputs and held_out_labels"):
        Idx("images", **files)


@pytest.mark.usefixtures("pair", "held_out_pair")
def test_a_test_set_of_another_shape_is_refused(load, write):
    write("other", idx(np.zeros((2, 3, 3))))
    with pytest.raises(DataError, match=r"other has inputs of the shape \(9,\), but .*images"):
        load(Idx("images", "labels.gz", "other", "test-labels"))


@pytest.mark.parametrize("dtype", CODES)
@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_every_type(load, write, dtype, packed):
    write("a", packed(idx([[1, 2], [3, 100]], dtype)))
    assert load(Idx("a", scale=1.0)).inputs.tolist() == [[1, 2], [3, 100]]
    assert load(Idx("a")).inputs[1, 1] == pytest.approx(100 / 255 if dtype == "u1" else 100)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "starts with nothing"),
        (b"\0\0", "starts with 00 00;"),
        (b"P5 2 2", "starts with 50 35 20 32"),
        (b"\0\0\x0a\x01\0\0\0\1a", "starts with 00 00 0a 01"),
        (b"\0\0\x08\0", "declares 0 axes"),
        (b"\0\0\x08\xff" + bytes(2000), "declares 255 axes"),
        (b"\0\0\x08\x03\0\0\0\1", "ends within its header"),
        (b"\0\0\x08\x02\0\0\0\1\0\0\0\0", r"shape \(1, 0\), which holds nothing"),
        (idx(IMAGES)[:-1], "file ends after 23 of them"),
        (idx(IMAGES) + b"x", "but more follow"),
        (struct.pack(">4B2I", 0, 0, 8, 2, 2**20, 2**20), "declares 1099511627776 bytes"),
        (struct.pack(">4B8I", 0, 0, 14, 8, *[2**32 - 1] * 8), r"declares \d{70,} bytes"),
        (idx([[np.nan]], ">f4"), "is nan at index"),
    ],
)
@pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_error(load, write, content, message, packed):
    write("images", packed(content))
    with pytest.raises(DataError, match=message):
        load(Idx("images"))


def test_truncated_and_damaged_gzip(load, write):
    content = gzip.compress(idx(IMAGES))
    for k in range(3, len(content)):
        write("images", content[:k])
        with pytest.raises(DataError, match=r"gzip stream is damaged|ends|starts"):
            load(Idx("images"))
    for k in range(10, len(content)):  # the ten bytes of the header say nothing of the content
        write("images", content[:k] + bytes([content[k] ^ 0xFF]) + content[k + 1 :])
        with pytest.raises(DataError):
            load(Idx("images"))


def test_gzip_bomb(load, write):
    """What is unpacked is bounded by the header, and the header by the size of the file."""
    path = write("images", gzip.compress(idx(IMAGES) + bytes(100 * 2**20), compresslevel=1))
    assert path.stat().st_size < 2**20
    with pytest.raises(DataError, match="but more follow"):
        load(Idx("images"))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (idx([1, 2]), "has 3 samples, but .* has 2 labels"),
        (idx([1, 2, 3, 4]), "has 3 samples, but .* has 4 labels"),
        (idx([[1], [2], [3]]), r"type uint8 and the shape \(3, 1\)"),
        (idx([1, 2, 3], ">i4"), "type >i4"),
    ],
)
@pytest.mark.parametrize("samples", [None, 2])
def test_labels_that_do_not_fit(load, pair, write, labels, samples, message):
    write("labels", labels)
    with pytest.raises(DataError, match=message):
        load(Idx("images", "labels", samples=samples))


def test_more_samples_than_there_are(load, pair):
    with pytest.raises(DataError, match="samples = 4, but the file has only 3"):
        load(Idx("images", samples=4))


@pytest.fixture
def mnist():
    """The folders in which MNIST lies; skips where it does not."""
    folder = os.environ.get("OCCORE_DATA")
    if not folder:
        pytest.skip("OCCORE_DATA is not set to the folder that holds mnist/")
    if not (Path(folder) / "mnist" / "train-images-idx3-ubyte.gz").is_file():
        pytest.skip("OCCORE_DATA has no mnist/train-images-idx3-ubyte.gz")
    return (Path(folder),)


@pytest.mark.parametrize(
    ("part", "samples", "counts"),
    [
        # how often each digit occurs, as LeCun's page on MNIST counts them
        ("train", 60000, [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]),
        ("t10k", 10000, [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]),
    ],
)
def test_mnist(mnist, part, samples, counts):
    names = (f"mnist/{part}-images-idx3-ubyte.gz", f"mnist/{part}-labels-idx1-ubyte.gz")
    data = Idx(*names).load(mnist, np.random.default_rng(0))
    assert data.inputs.shape == (samples, 784) and data.targets.shape == (samples, 10)
    assert data.targets.sum(axis=0).tolist() == counts
    assert data.inputs.min() == 0 and data.inputs.max() == 1


def test_first_digits_of_mnist(mnist):
    names = ("mnist/train-images-idx3-ubyte.gz", "mnist/train-labels-idx1-ubyte.gz")
    data = Idx(*names, samples=5, flatten=False).load(mnist, np.random.default_rng(0))
    assert data.inputs.shape == (5, 28, 28) and data.classes == tuple("0123456789")
    assert data.targets.argmax(axis=1).tolist() == [5, 0, 4, 1, 9]
