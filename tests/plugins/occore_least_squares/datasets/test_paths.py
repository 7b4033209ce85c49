"""Paths of a stranger's case file: no kind opens a file outside the folders."""

import pytest

from occore import DataError
from occore_least_squares.datasets.csv import Csv
from occore_least_squares.datasets.hdf5 import Hdf5
from occore_least_squares.datasets.idx import Idx
from occore_least_squares.datasets.npz import Npz

KINDS = {
    "csv": Csv,
    "hdf5": lambda path: Hdf5(path, inputs="x"),
    "idx": Idx,
    "idx labels": lambda path: Idx("images", labels=path),
    "npz": lambda path: Npz(path, inputs="x"),
}


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def kind(request, write):
    write("images", b"\0\0\x08\x01\0\0\0\x01\x07")
    return request.param


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "a/../../x",
        "/etc/passwd",
        "~/x",
        "$HOME/x",
        "http://example.org/x",
        "file:///etc/passwd",
        "x\0y",
        "",
        ".",
        "missing",
    ],
)
def test_refused(load, kind, path):
    with pytest.raises(DataError):
        load(kind(path))


def test_directory(load, kind, tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="no file 'folder'"):
        load(kind("folder"))


def test_link_that_leaves_the_folder(load, kind, tmp_path, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "secret.csv"
    outside.write_text("a,b\n1,2\n")
    (tmp_path / "link").symlink_to(outside)
    with pytest.raises(DataError, match="is a link that leaves"):
        load(kind("link"))
