"""occore compare: what differs, when a value was reached, the figure, wrong input."""

import h5py
import numpy as np
import pytest

from occore.cli import main
from occore.comparison import Curve, curve, different_keys, falls
from occore.storage.record import RunRecord
from occore.storage.run import open_run
from occore.storage.writer import write_run

CASE = """\
title = "T"
[[phase]]
name = "hidden"
[phase.dynamics]
width = {width}
[optimizer]
kind = "{kind}"
"""


def write(path, kind, width=8, work=(2.0, 4.5, 7.0), errors=(0.5, np.nan, 0.04), result=True):
    rows = np.arange(3)
    history = {
        "iteration": rows,
        "objective": 1.0 / (1 + rows),
        "gradient_norm": np.ones(3),
        "work": np.array(work),
        "wall_time": 0.5 * rows,
        "held_out_error_rate": np.array(errors),
        "held_out_accuracy": 1 - np.array(errors),
    }
    metrics = {"train": {"error_rate": 0.03}, "held_out": {"error_rate": errors[-1]}}
    found = {"objective": 0.25, "gradient_norm": 1.0, "metrics": metrics} if result else {}
    text = CASE.format(kind=kind, width=width)
    write_run(
        path,
        RunRecord("T", "converged", "now", "0", text, text, history, result=found),
    )
    return path


@pytest.fixture
def two(tmp_path):
    return [
        write(tmp_path / "adam.h5", "adam"),
        write(tmp_path / "lbfgs.h5", "lbfgs", 16, (2.0, 22.0, 42.0), (0.5, 0.2, 0.06)),
    ]


def call(*arguments):
    with pytest.raises(SystemExit) as caught:
        main(["compare", *map(str, arguments)])
    return caught.value.code


def test_the_table_has_what_differs(two, capsys):
    assert call(*two) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["optimizer.kind", "adam", "lbfgs"] in lines
    assert ["phase.hidden.dynamics.width", "8", "16"] in lines
    assert ["work", "7", "42"] in lines
    assert ["error", "rate", "(held-out)", "4.00", "%", "6.00", "%"] in lines
    assert not any(line[:1] == ["title"] for line in lines)


def test_when_a_value_was_reached(two, capsys):
    """By the first run at work 7, by the other one never; NaN rows are not looked at."""
    assert call(*two, "--y", "error_rate", "--reach", "0.05") == 0
    text = capsys.readouterr().out
    lines = [line.split() for line in text.splitlines()]
    assert "error_rate ≤ 0.05" in text
    assert ["work", "7", "never"] in lines
    assert ["iteration", "2", "never"] in lines
    assert ["time", "1", "s", "never"] in lines


def test_accuracy_is_reached_from_below(two, capsys):
    assert call(*two, "--y", "accuracy", "--reach", "0.8") == 0
    text = capsys.readouterr().out
    assert "accuracy ≥ 0.8" in text
    assert ["work", "7", "22"] in [line.split() for line in text.splitlines()]


@pytest.mark.parametrize("x", ["iteration", "work", "time"])
def test_a_figure(two, tmp_path, x):
    png = tmp_path / "figure.png"
    assert call(*two, "--y", "error_rate", "--x", x, "--reach", "0.1", "--plot", png) == 0
    assert png.read_bytes()[:4] == b"\x89PNG"


def test_one_case_that_was_run_twice(two, tmp_path, capsys):
    (tmp_path / "other").mkdir()
    again = write(tmp_path / "other" / "adam.h5", "adam")
    assert call(two[0], again) == 0
    text = capsys.readouterr().out
    assert "The cases are the same." in text
    assert "other" in "".join(text.split())  # files of one name are told apart by their folders


def test_a_run_that_goes_on_has_what_its_history_says(two, tmp_path, capsys):
    killed = write(tmp_path / "killed.h5", "sgd", result=False)
    assert call(two[0], killed) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["objective", "0.25", "0.333333"] in lines


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument"),
        (["ONE"], "name two or more"),
        (["ONE", "ONE"], "named twice"),
        (["ONE", "nowhere.h5"], "there is no such file"),
        (["ONE", "TWO", "--y", "eror_rate", "--reach", "1"], "Did you mean 'error_rate'?"),
        (["ONE", "TWO", "--y", "psnr", "--plot", "x.png"], "run.metrics_every=1"),
        (["ONE", "TWO", "--plot", "x.pdf"], "written as PNG"),
        (["ONE", "TWO", "--x", "epochs"], "'work'"),
    ],
)
def test_wrong_input_is_exit_2(two, arguments, message, capsys):
    names = dict(zip(("ONE", "TWO"), two, strict=True))
    assert call(*(names.get(argument, argument) for argument in arguments)) == 2
    assert message in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.pop("history/work"),
        lambda file: file.pop("history/objective"),
        lambda file: file.pop("history"),
        lambda file: file.attrs.__setitem__("case_toml_resolved", "[["),
    ],
)
def test_a_damaged_file_is_one_line(two, damage, capsys):
    with h5py.File(two[1], "r+") as file:
        damage(file)
    assert call(*two, "--y", "objective", "--reach", "0.1") == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_control_characters_of_a_stranger_do_not_reach_the_terminal(two, capsys):
    write(two[1], "\\u001b[31mred")  # as TOML writes it
    assert call(*two) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_runs_in_python(two):
    runs = [open_run(path) for path in two]
    assert different_keys(runs)["optimizer.kind"] == ["adam", "lbfgs"]
    curves = [curve(run, "error_rate") for run in runs]
    assert curves[0].y.tolist() == [0.5, 0.04]
    assert curves[0].axes["work"].tolist() == [2.0, 7.0]
    assert falls(curves)
    assert curves[1].reached(0.2, falling=True) == {"iteration": 1, "work": 22, "time": 0.5}


def test_most_runs_say_what_is_better():
    curves = [Curve({}, np.array(y)) for y in ([0.1, 0.9], [0.1, 0.8], [0.5, 0.4])]
    assert not falls(curves)
    assert falls([Curve({}, np.array([]))])
