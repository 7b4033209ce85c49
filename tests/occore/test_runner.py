"""Runs: what they store, going on after a kill, a signal or a limit, and what stops them."""

import os
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest

import occore
from occore.errors import NonFiniteError, RunFileError
from occore.storage.run import open_run

SLOW = """\
title = "A long run"
seed = 3
[data]
kind = "digits"
[[phase]]
name = "fit"
dynamics = { kind = "linear", width = 10 }
[objective]
kind = "least_squares"
[[objective.penalty]]
kind = "tikhonov"
weight = 1e-3
[optimizer]
kind = "KIND"
tolerance = 0.0
max_iterations = 400
[run]
checkpoint_every = 7
"""


@pytest.fixture
def long_case(tmp_path):
    def write(kind):
        path = tmp_path / f"{kind}.toml"
        path.write_text(SLOW.replace("KIND", kind))
        return path

    return write


def occore_command(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-c", "from occore.cli import main; main()", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        **options,
    )


def same_result(a, b):
    """Whether two runs have the same controls and history, bit for bit, times apart."""
    assert np.array_equal(a["controls/fit/W"], b["controls/fit/W"])
    assert np.array_equal(a["checkpoint/theta"], b["checkpoint/theta"])
    for name, values in a.history.items():
        if name != "wall_time":
            assert np.array_equal(values, b.history[name], equal_nan=True), name
    assert a.result["objective"] == b.result["objective"]
    assert a.result["counts"] == b.result["counts"]


@pytest.mark.parametrize("kind", ["steepest_descent", "cgls", "lsqr"])
def test_kill_and_resume_end_in_the_identical_result(long_case, tmp_path, kind):
    case, path = long_case(kind), tmp_path / "killed.h5"
    whole = occore.run(case, tmp_path / "whole.h5", checks=False)
    pauses = np.random.default_rng(len(kind)).uniform(0.05, 0.6, 3)
    process = occore_command("run", case, "-o", path, "--no-check")
    for pause in pauses:
        before = path.stat().st_mtime_ns if path.exists() else None
        while process.poll() is None and (not path.exists() or path.stat().st_mtime_ns == before):
            time.sleep(0.005)
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert open_run(path).title == "A long run"
        process = occore_command("resume", path)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    same_result(whole, open_run(path))


def test_the_kills_happen_in_the_middle(long_case, tmp_path):
    """The test above proves nothing if the run is over before it is killed."""
    path = tmp_path / "killed.h5"
    process = occore_command("run", long_case("cgls"), "-o", path, "--no-check")
    while not path.exists():
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    run = open_run(path)
    assert run.status == "running"
    assert run["checkpoint/iteration"] < 400


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_writes_a_checkpoint_and_says_how_to_go_on(long_case, tmp_path, number):
    case, path = long_case("steepest_descent"), tmp_path / "stopped.h5"
    process = occore_command(
        "run", case, "-o", path, "--no-check", "--set", "optimizer.max_iterations=100000"
    )
    while not path.exists():
        time.sleep(0.005)
    time.sleep(0.3)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"occore resume" in output
    run = open_run(path)
    assert run.status == "interrupted"
    assert run["checkpoint/iteration"] == run.history["iteration"][-1]


def test_more_iterations_by_resuming(long_case, tmp_path):
    case = long_case("cgls")
    short = occore.load_case(case, settings=["optimizer.max_iterations=20"])
    first = occore.run(short, tmp_path / "short.h5", checks=False)
    assert first.status == "iteration_limit"
    more = occore.resume(first.path, settings=["optimizer.max_iterations=400"])
    same_result(occore.run(case, tmp_path / "whole.h5", checks=False), more)


def test_what_a_run_file_holds(tmp_path):
    run = occore.run("cases/02_least_squares/digits.toml", tmp_path / "run.h5")
    assert run.status == "converged"
    assert {"train", "held_out"} == set(run.result["metrics"])
    assert run.checks
    assert all(row["verdict"] != "FAIL" for row in run.checks)
    assert run["provenance/data_digest"].startswith("sha256:")
    assert (tmp_path / "run.log.jsonl").read_text().count("\n") >= 1
    assert 'kind = "digits"' in run.case_toml


def test_an_existing_file_is_not_overwritten(long_case, tmp_path):
    path = tmp_path / "run.h5"
    path.write_text("precious")
    with pytest.raises(RunFileError, match=r"already.*--overwrite.*overwrite=True"):
        occore.run(long_case("cgls"), path)
    assert path.read_text() == "precious"


def test_names_of_runs_that_nobody_named(long_case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    case = occore.load_case(long_case("cgls"), settings=["optimizer.max_iterations=2"])
    names = [occore.run(case, checks=False).path.name for _ in range(2)]
    assert names == ["cgls.h5", "cgls-2.h5"]


def test_data_that_changed_are_noticed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d.csv").write_text("x,y\n1,2\n2,3\n3,5\n")
    case = {
        "title": "t",
        "data": {"kind": "csv", "path": "d.csv", "target": "y"},
        "phase": [{"name": "fit", "dynamics": {"kind": "linear", "width": 1}}],
        "objective": {"kind": "least_squares"},
        "optimizer": {"kind": "cgls", "max_iterations": 1, "tolerance": 0.0},
    }
    run = occore.run(case, "run.h5")
    (tmp_path / "d.csv").write_text("x,y\n1,2\n2,3\n3,6\n")
    with pytest.raises(RunFileError, match="the data have changed"):
        occore.resume(run.path, settings=["optimizer.max_iterations=3"])


PLUGIN = """\
import numpy as np
import occore


class Spiked(occore.Dynamics):
    controls = occore.Layout({"c": (1,)})
    affine_in_controls = True

    def __call__(self, t, x, u):
        return x * u["c"] + np.where(abs(u["c"]) > 1e-3, np.nan, 0.0)

    def linearize(self, t, x, u):
        return self(t, x, u), occore.Products(
            jvp=lambda dx, du: u["c"] * dx + x * du["c"] + np.where(abs(du["c"]) > 3, np.nan, 0.0),
            vjp=lambda py: (u["c"] * py, {"c": (x * py).sum(axis=0)}),
        )


@occore.hookimpl
def occore_register(registry):
    registry.dynamics("spiked", Spiked)


seen = []


@occore.hookimpl
def occore_iteration(record, theta):
    seen.append(record["iteration"])
"""


def spiked_case(tmp_path):
    (tmp_path / "spiked.py").write_text(PLUGIN)
    (tmp_path / "d.csv").write_text("x,y\n1,2\n2,3\n3,5\n")
    return {
        "title": "t",
        "data": {"kind": "csv", "path": "d.csv", "target": "y"},
        "phase": [{"name": "fit", "dynamics": {"kind": "spiked"}}],
        "objective": {"kind": "least_squares"},
        "optimizer": {"kind": "cgls"},
    }


def test_a_nan_stops_the_run_with_its_place(tmp_path):
    tables = spiked_case(tmp_path)
    host = occore.load_host((tmp_path / "spiked.py",))
    case = occore.load_case(tables, host=host, folder=tmp_path)
    with pytest.raises(NonFiniteError, match=r"iteration 1: the control fit/c is not finite"):
        occore.run(case, tmp_path / "run.h5", checks=False)
    run = open_run(tmp_path / "run.h5")
    assert run.status == "failed"
    assert np.all(np.isfinite(run["checkpoint/theta"]))


def test_plugins_observe_a_run(tmp_path, long_case):
    spiked_case(tmp_path)
    host = occore.load_host((tmp_path / "spiked.py",))
    case = occore.load_case(long_case("cgls"), settings=["optimizer.max_iterations=3"], host=host)
    occore.run(case, tmp_path / "run.h5", checks=False)
    assert sys.modules["occore_plugin_spiked"].seen == [1, 2, 3]


def test_two_processes_do_not_share_signal_handlers():
    """A run in a thread leaves the handlers of the main thread alone."""
    from occore.interruption import Interruption

    before = signal.getsignal(signal.SIGINT)
    with Interruption():
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before
    assert os.getpid() > 0


def test_work_adds_up_exactly_over_a_resume(long_case, tmp_path):
    """The row before the interruption and the one after it are those of an uninterrupted run."""
    case = occore.load_case(long_case("steepest_descent"), settings=["optimizer.max_iterations=9"])
    whole = occore.run(case, tmp_path / "whole.h5", checks=False)
    stopped = occore.run(
        occore.load_case(long_case("steepest_descent"), settings=["optimizer.max_iterations=4"]),
        tmp_path / "run.h5",
        checks=False,
    )
    more = occore.resume(stopped.path, settings=["optimizer.max_iterations=9"])
    assert more.history["work"].dtype == np.float64
    assert np.array_equal(more.history["work"], whole.history["work"])
    assert whole.history["work"][-1] == sum(whole.result["counts"].values())


def test_a_history_of_another_version_cannot_go_on(long_case, tmp_path):
    case = occore.load_case(long_case("cgls"), settings=["optimizer.max_iterations=2"])
    path = occore.run(case, tmp_path / "run.h5", checks=False).path
    with h5py.File(path, "r+") as file:
        del file["history/work"]
    with pytest.raises(RunFileError, match="no work: the run is of another version"):
        occore.resume(path, settings=["optimizer.max_iterations=4"])


def test_metrics_along_the_history(long_case, tmp_path):
    """Those of held-out data, in every third row; they are no work and change nothing."""
    settings = ["run.metrics_every=3", "data.held_out=0.3", "optimizer.max_iterations=7"]
    case = long_case("cgls")
    run = occore.run(occore.load_case(case, settings=settings), tmp_path / "a.h5", checks=False)
    plain = occore.load_case(case, settings=settings[1:])
    without = occore.run(plain, tmp_path / "b.h5", checks=False)
    errors = run.history["held_out_error_rate"]
    assert np.flatnonzero(np.isfinite(errors)).tolist() == [0, 3, 6]
    assert errors[0] > 0.5 > errors[6]
    assert np.array_equal(run.history["work"], without.history["work"])
    short = [*settings[:2], "optimizer.max_iterations=4"]
    path = occore.run(occore.load_case(case, settings=short), tmp_path / "c.h5", checks=False).path
    same_result(run, occore.resume(path, settings=["optimizer.max_iterations=7"]))


def test_without_held_out_data_the_metrics_are_those_of_training(long_case, tmp_path):
    settings = ["run.metrics_every=1", "optimizer.max_iterations=2"]
    case = occore.load_case(long_case("cgls"), settings=settings)
    run = occore.run(case, tmp_path / "run.h5", checks=False)
    assert run.history["train_rmse"][-1] == run.result["metrics"]["train"]["rmse"]
