"""occore inspect: summary, tree, values, JSON, figures."""

import json

import numpy as np
import pytest

import occore
from occore.cli import main
from occore.cli.show import sparkline


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


def test_sparklines():
    assert sparkline([1, 2, 3, 4, 5, 6, 7, 8]) == "▁▂▃▄▅▆▇█"
    assert sparkline([1, 10, 100, 1000]) == "▁▃▆█"
    assert sparkline([1.0, float("nan"), 1.0]) == "▁ ▁"
    assert sparkline([float("nan")]) == "no numbers"
    assert len(sparkline(range(1000))) == 40
