"""What the guard refuses by its description alone, and text in run files."""

import os
import subprocess
import sys

import h5py
import numpy as np
import pytest

from occore.errors import RunFileError
from occore.storage.record import RunRecord
from occore.storage.run import open_run
from occore.storage.writer import write_run


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "run.h5"
    k = np.arange(3)
    write_run(
        path,
        RunRecord(
            title="Brücke θ",
            status="converged",
            created="now",
            occore_version="0",
            case_toml="",
            case_toml_resolved="",
            history={"iteration": k, "objective": 1.0 * k},
            history_units={"objective": "m"},
            result={"names": ["a", "", "Zürich"], "words": {"empty": ""}, "big": -(2**90)},
            checks=[{"subject": "θ", "value": 1.0, "good": True}, {"subject": "b", "value": None}],
            units={"result/names": "1"},
        ),
    )
    return path


def many_strings_of_one_heap(file):
    text = file.create_dataset("text", (20_000,), h5py.string_dtype())
    text[:] = "a" * 100


def compressed_twice(file):
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((2**16,))
    properties.set_deflate(9)
    properties.set_deflate(9)
    space = h5py.h5s.create_simple((2**20,))
    h5py.h5d.create(file.id, b"twice", h5py.h5t.NATIVE_INT8, space, properties)


def huge_chunk(file):
    file.create_dataset("x", (10,), "i1", maxshape=(None,), chunks=(2**28,), compression="gzip")


def long_text(file):
    file.create_dataset("x", (20_000,), h5py.string_dtype(length=1000))


def terminal_escapes(file):
    file.create_group("\x1b]0;owned\x07")


def not_utf8(file):
    h5py.h5g.create(file.id, b"\xff\xfe")


def enum(file):
    file.create_dataset("x", data=[1], dtype=h5py.enum_dtype({"A": 1, "B": 2}))


def bitfield(file):
    h5py.h5d.create(file.id, b"x", h5py.h5t.STD_B8LE, h5py.h5s.create_simple((3,)))


def null_space(file):
    file["x"] = h5py.Empty("f8")


def two_names(file):
    file["again"] = file["history/objective"]


@pytest.mark.parametrize(
    "attack",
    [
        many_strings_of_one_heap,
        compressed_twice,
        huge_chunk,
        long_text,
        terminal_escapes,
        not_utf8,
        enum,
        bitfield,
        null_space,
        two_names,
    ],
    ids=lambda attack: attack.__name__,
)
def test_refused(path, attack):
    with h5py.File(path, "a") as file:
        attack(file)
    with pytest.raises(RunFileError, match="refused") as caught:
        open_run(path)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("source", ["virtual", "external storage", "external link"])
def test_no_other_file_is_opened(path, tmp_path, source):
    """The other file is a pipe: whoever opens it waits for ever."""
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    with h5py.File(path, "a") as file:
        if source == "virtual":
            layout = h5py.VirtualLayout((5,), "f8", maxshape=(None,))
            layout[: h5py.h5s.UNLIMITED] = h5py.VirtualSource(pipe, "x", (5,), maxshape=(None,))[
                : h5py.h5s.UNLIMITED
            ]
            file.create_virtual_dataset("x", layout)
        elif source == "external storage":
            file.create_dataset("x", (8,), "u1", external=[(pipe, 0, 8)])
        else:
            file["x"] = h5py.ExternalLink(pipe, "/x")
    script = f"from occore.storage.run import open_run; open_run({str(path)!r})"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=False
    )
    assert "refused" in done.stderr


def test_attributes_of_other_programs_are_passed_over(path):
    with h5py.File(path, "a") as file:
        file.attrs["note"] = "added by hand"
        file["history/objective"].attrs["remark"] = "text of variable length"
    assert open_run(path).title == "Brücke θ"


def test_a_link_of_the_user_is_followed(path, tmp_path):
    link = tmp_path / "link.h5"
    link.symlink_to(path)
    assert open_run(link).title == "Brücke θ"


def test_text_comes_back(path):
    run = open_run(path)
    assert run["result/names"].tolist() == ["a", "", "Zürich"]
    assert run.result["words"] == {"empty": ""}
    assert run.result["big"] == -(2**90)
    assert run.select("result/names[-1]") == "Zürich"
    assert [row["subject"] for row in run.checks] == ["θ", "b"]
    assert np.isnan(run.checks[1]["value"])


def test_text_in_xarray(path):
    xarray = pytest.importorskip("xarray")
    with xarray.open_dataset(path, group="result", engine="h5netcdf") as data:
        assert data["names"].to_numpy().tolist() == ["a", "", "Zürich"]
    with xarray.open_dataset(path, engine="h5netcdf") as data:
        assert data.attrs["title"] == "Brücke θ"
    with xarray.open_dataset(path, group="history", engine="h5netcdf") as data:
        assert data["objective"].attrs["units"] == "m"


def test_reading_and_writing_again_gives_the_same_bytes(path, tmp_path):
    again = tmp_path / "again.h5"
    write_run(again, open_run(path).record())
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("text", ["x" * 65_001, "NUL \0"])
def test_text_that_does_not_fit(path, text):
    record = RunRecord(
        text, "running", "now", "0", "", "", {"iteration": np.arange(1), "objective": np.ones(1)}
    )
    before = path.read_bytes()
    with pytest.raises(RunFileError, match=r"at most 65000|NUL"):
        write_run(path, record)
    assert path.read_bytes() == before


def test_the_longest_case_fits(path):
    text = "é" * 32_500
    write_run(
        path,
        RunRecord(
            "t",
            "running",
            "now",
            "0",
            text,
            text,
            {"iteration": np.arange(1), "objective": np.ones(1)},
        ),
    )
    assert open_run(path).case_toml_resolved == text
