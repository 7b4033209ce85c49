"""Run files: what is written comes back, xarray opens every group, and nothing is half written."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import h5py
import numpy as np
import pytest

from occore.errors import InputError, RunFileError
from occore.storage.record import (
    EventsRecord,
    PhaseControlsRecord,
    RunRecord,
    TrajectoryRecord,
)
from occore.storage.run import open_run
from occore.storage.selection import parse
from occore.storage.writer import write_run


def record(rng, **changes) -> RunRecord:
    given = {
        "title": "A run, θ",
        "status": "converged",
        "created": "2026-01-01T00:00:00+00:00",
        "finished": "2026-01-01T00:00:01+00:00",
        "occore_version": "0.1.0",
        "case_toml": "title = 'A run, θ'",
        "case_toml_resolved": "title = 'A run, θ'\nseed = 0",
        "history": {"iteration": np.arange(3), "objective": np.array([3.0, 2.0, 1.0])},
        "controls": {
            "hidden": PhaseControlsRecord(
                np.linspace(0, 1, 4), {"K": rng.random((4, 2, 3))}, {"horizon": np.array(1.5)}
            ),
            "closing": PhaseControlsRecord(None, {"W": rng.random((2, 3)), "b": rng.random(2)}),
        },
        "trajectory": {"hidden": TrajectoryRecord(np.linspace(0, 1, 5), rng.random((5, 2, 3)))},
        "result": {"objective": 1.0, "metrics": {"train": {"rmse": 0.5}}, "ok": True, "n": 3},
        "checkpoint": {"theta": rng.random(7), "iteration": 2, "random": 2**100},
        "checks": [{"subject": "a", "value": 1e-16, "verdict": "pass"}],
        "provenance": {"python": "3.11", "libraries": {"numpy": "2.0"}},
    }
    return RunRecord(**{**given, **changes})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.h5"


def test_what_is_written_comes_back(path, rng):
    written = record(rng)
    write_run(path, written)
    run = open_run(path)
    read = run.record()
    assert (run.title, run.status) == ("A run, θ", "converged")
    assert read.case_toml_resolved == written.case_toml_resolved
    assert np.array_equal(read.history["objective"], written.history["objective"])
    assert np.array_equal(
        read.controls["hidden"].values["K"], written.controls["hidden"].values["K"]
    )
    assert read.controls["closing"].time is None
    assert read.controls["hidden"].constants == {"horizon": 1.5}
    assert np.array_equal(read.trajectory["hidden"].state, written.trajectory["hidden"].state)
    assert read.result == written.result
    assert read.checkpoint["random"] == 2**100
    assert read.checks == [dict(written.checks[0])]
    assert read.provenance == written.provenance


def test_xarray_opens_every_group(path, rng):
    xarray = pytest.importorskip("xarray")
    write_run(path, record(rng))
    with h5py.File(path) as file:
        groups = ["/"]
        file.visititems(
            lambda name, thing: groups.append(name) if isinstance(thing, h5py.Group) else None
        )
    for group in groups:
        xarray.open_dataset(path, group=group, engine="h5netcdf").close()
    data = xarray.open_dataset(path, group="/trajectory/hidden", engine="h5netcdf")
    assert data["state"].dims[:2] == ("time", "sample")
    assert data["state"].attrs["long_name"] == "state of phase hidden"
    data.close()


@pytest.mark.parametrize("count", [0, 3])
def test_events_come_back_and_open_in_xarray(path, rng, count):
    xarray = pytest.importorskip("xarray")
    events = EventsRecord(
        np.arange(count) / 3,
        np.arange(count) % 2,
        np.array(["bounce", "stop", "θ"][:count], object),
        rng.random((count, 4)),
        rng.random((count, 4)),
    )
    time, state = np.linspace(0, 1, 5), rng.random((5, 2, 4))
    write_run(path, record(rng, trajectory={"ball": TrajectoryRecord(time, state, {}, events)}))
    read = open_run(path).record().trajectory["ball"].events
    assert read is not None
    for name, value in vars(events).items():
        assert np.array_equal(getattr(read, name), value), name
    with xarray.open_dataset(path, group="/trajectory/ball/events", engine="h5netcdf") as data:
        assert data["time"].dims == data["name"].dims == ("event",)
        assert data["after"].dims[0] == "event"
        assert data["name"].values.tolist() == events.name.tolist()
    with pytest.raises(ValueError, match="'sample' has shape"):
        EventsRecord(np.zeros(2), np.zeros(1), np.zeros(2), np.zeros((2, 1)), np.zeros((2, 1)))


def test_the_plot_that_viewers_show_is_the_history(path, rng):
    write_run(path, record(rng))
    with h5py.File(path) as file:
        assert file.attrs["default"] == b"history"
        attributes = file["history"].attrs
        assert (attributes["signal"], attributes["axes"]) == (b"objective", b"iteration")


def test_names_and_selections(path, rng):
    write_run(path, record(rng))
    run = open_run(path)
    assert np.array_equal(run.select("history/objective[-2:]"), [2.0, 1.0])
    assert run.select("trajectory/hidden/state[:, 0]").shape == (5, 3)
    assert run.select("trajectory/hidden/state[..., 1]").shape == (5, 2)
    assert run["result"]["metrics"]["train"]["rmse"] == 0.5
    with pytest.raises(InputError, match="Did you mean 'history/objective'"):
        run["history/objektive"]
    with pytest.raises(InputError, match="index 3 is out of range"):
        run.select("history/objective[3]")


@pytest.mark.parametrize("text", ["__import__('os')", "1.5", "a", "0:1:0", "0,0", "1e3", "True"])
def test_selections_are_numbers_and_slices_only(text):
    with pytest.raises(InputError):
        parse(text, (3,))


@pytest.mark.parametrize(
    ("place", "message"),
    [("nowhere/run.h5", "there is no folder"), ("", "this is a folder")],
)
def test_places_that_cannot_be_written(tmp_path, rng, place, message):
    with pytest.raises(RunFileError, match=message):
        write_run(tmp_path / place, record(rng))
    assert list(tmp_path.iterdir()) == []


def test_a_record_that_cannot_be_stored_leaves_the_file_as_it_was(path, rng):
    write_run(path, record(rng))
    before = path.read_bytes()
    with pytest.raises(RunFileError, match="cannot be stored"):
        write_run(path, record(rng, result={"bad": {1, 2}}))
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["run.h5"]


def test_a_full_disk_is_said_and_loses_nothing(path, rng, monkeypatch):
    write_run(path, record(rng))
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunFileError, match="the disk is full"):
        write_run(path, record(rng))
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["run.h5"]


def test_a_file_of_a_later_format(path, rng):
    write_run(path, record(rng))
    with h5py.File(path, "a") as file:
        file.attrs["format_version"] = 99
    with pytest.raises(RunFileError, match="upgrade occore"):
        open_run(path)


def test_kill_at_any_instant_leaves_a_file_that_opens(path):
    """A process that writes without end is killed again and again."""
    script = textwrap.dedent(
        """
        import sys, numpy as np
        from occore.storage.record import RunRecord
        from occore.storage.writer import write_run
        for n in range(1, 10**6):
            k = np.arange(n)
            write_run(sys.argv[1], RunRecord("t", "running", "now", "0", "", "",
                history={"iteration": k, "objective": 1.0 * k},
                checkpoint={"theta": np.full(50_000, n)}))
        """
    )
    for pause in np.random.default_rng(0).uniform(0.0, 0.15, 6):
        process = subprocess.Popen([sys.executable, "-c", script, str(path)])
        while not path.exists():
            time.sleep(0.005)
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.wait()
        run = open_run(path)
        assert len(run.history["objective"]) == run["checkpoint/theta"][0]
