"""occore inspect: summary, tree, values, JSON, figures."""

import json
from dataclasses import replace

import numpy as np
import pytest

import occore
from occore.cli import main
from occore.cli.show import sparkline
from occore.storage.writer import write_run


@pytest.fixture(scope="module")
def run_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "run.h5"
    settings = ["run.record=['controls','trajectory']"]
    case = occore.load_case("cases/02_least_squares/digits.toml", settings=settings)
    occore.run(case, path)
    return path


def output(capsys, *arguments):
    with pytest.raises(SystemExit) as caught:
        main(["inspect", *map(str, arguments)])
    assert caught.value.code == 0
    return capsys.readouterr().out


def test_summary_and_tree(run_file, capsys):
    text = output(capsys, run_file)
    for part in ("Digits", "converged", "error rate (held-out)", "all passed", "10 × 64", "█"):
        assert part in text
    assert "_axis" not in text


def test_a_group_and_a_dataset(run_file, capsys):
    assert "W  10 × 64" in output(capsys, run_file, "controls")
    text = output(capsys, run_file, "controls/fit/W")
    assert "control W of phase fit" in text
    assert "min" in text


def test_slices(run_file, capsys):
    values = json.loads(output(capsys, run_file, "controls/fit/W[0, :3]", "--json"))
    assert np.array_equal(values, occore.open_run(run_file)["controls/fit/W"][0, :3])


def test_json_is_strict(run_file, capsys):
    document = json.loads(output(capsys, run_file, "--json"), parse_constant=pytest.fail)
    assert document["status"] == "converged"
    assert document["tree"]["controls/fit/W"] == {"shape": [10, 64], "dtype": "float64"}
    assert json.loads(output(capsys, run_file, "history/step_length", "--json"))[0] is None


@pytest.mark.parametrize(
    "path",
    [None, "history/objective", "controls/fit/W", "trajectory/fit/state[0]", "controls/fit/b"],
)
def test_figures(run_file, capsys, tmp_path, path):
    png = tmp_path / "figure.png"
    output(capsys, run_file, *([path] if path else []), "--plot", png)
    assert png.read_bytes().startswith(b"\x89PNG")
    assert png.stat().st_size > 5000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["controls/fit/w"], "Did you mean 'controls/fit/W'?"),
        (["controls/fit/W[99]"], "index 99 is out of range"),
        (["controls/fit/W[1.5]"], "is not a slice"),
        (["--plot", "figure.pdf"], "ends in .png"),
        (["--plot", "no/folder/figure.png"], "cannot be written"),
        (["history/objective[0]", "--plot", "f.png"], "a figure needs"),
    ],
)
def test_wrong_calls(run_file, capsys, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main(["inspect", str(run_file), *arguments])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_a_png_never_replaces_another_file(run_file, capsys, tmp_path):
    path = tmp_path / "notes.png"
    path.write_text("my notes")
    with pytest.raises(SystemExit) as caught:
        main(["inspect", str(run_file), "--plot", str(path)])
    assert caught.value.code == 2
    assert path.read_text() == "my notes"


@pytest.mark.parametrize("title", ["[/bold] [red]", "\x1b[2J", "costs $x^ and $5"])
def test_text_of_strangers_is_only_text(run_file, capsys, tmp_path, title):
    path = tmp_path / "run.h5"
    write_run(path, replace(occore.open_run(run_file).record(), title=title))
    shown = output(capsys, path)
    assert shown.startswith(title.replace("\x1b", "\\x1b"))
    output(capsys, path, "--plot", tmp_path / "figure.png")


@pytest.mark.parametrize(
    "change",
    [{"result": {"objective": 1.0}}, {"result": {"objective": "a"}}, {"checks": [{"a": 1}]}],
)
def test_a_file_that_is_no_run_of_ours(run_file, capsys, tmp_path, change):
    path = tmp_path / "run.h5"
    write_run(path, replace(occore.open_run(run_file).record(), **change))
    with pytest.raises(SystemExit) as caught:
        main(["inspect", str(path)])
    assert caught.value.code == 2
    assert "no run of occore" in capsys.readouterr().err


def test_sparklines():
    assert sparkline([1, 2, 3, 4, 5, 6, 7, 8]) == "▁▂▃▄▅▆▇█"
    assert sparkline([1, 10, 100, 1000]) == "▁▃▆█"
    assert sparkline([1.0, float("nan"), 1.0]) == "▁ ▁"
    assert sparkline([float("nan")]) == "no numbers"
    assert len(sparkline(range(1000))) == 40
