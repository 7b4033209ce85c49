"""The command line as a user meets it: start-up, exit status, errors without a traceback."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from occore.case import load_case
from occore.cli import COMMANDS, main

DIABETES = Path("cases/02_least_squares/diabetes.toml").resolve()

WRONG_CASES = {
    "bad type": ("seed = 7", 'seed = "seven"', "seed: expected a valid integer, got 'seven'"),
    "unknown key": ("held_out", "held_uot", "data.held_uot: unknown key. Did you mean 'held_out'?"),
    "unknown kind": (
        '"qr"',
        '"qqr"',
        "optimizer.kind: unknown optimizer 'qqr'. Did you mean 'qr'?",
    ),
    "missing key": (", width = 1", "", "phase[0].dynamics.width: this key is missing"),
    "missing table": ('[optimizer]\nkind = "qr"', "", "optimizer: this key is missing"),
    "syntax error": ("[data]", "[data", "TOML syntax"),
    "duplicate key": ("seed = 7", "seed = 7\nseed = 8", "TOML syntax: Cannot overwrite a value"),
    "missing data file": (
        'kind = "diabetes"',
        'kind = "csv"\npath = "nowhere.csv"\ntarget = "y"',
        "data.path: no file 'nowhere.csv'",
    ),
    "path that leaves the folder": (
        'kind = "diabetes"',
        'kind = "csv"\npath = "../secret.csv"\ntarget = "y"',
        "is not a path inside the case's folder",
    ),
    "wrong structure": (
        '[[phase]]\nname = "fit"',
        '[[phase]]\nname = "first"\ndynamics = { kind = "linear", width = 4 }\n'
        '[[phase]]\nname = "fit"',
        "optimizer.kind: 'qr' needs the structure 'dense_least_squares', but the phase 'fit'",
    ),
    "shapes that do not fit": ("width = 1", "width = 2", "but the targets of the data have the"),
    "out of range": ("held_out = 0.2", "held_out = 2.0", "data.held_out: expected less than 1"),
}


def command(*arguments, cwd=None):
    """A fresh process, as a user starts it."""
    return subprocess.run(
        [sys.executable, "-c", "from occore.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )


def test_commands_to_go_on_with_are_each_in_one_line(tmp_path):
    """However narrow the terminal and long the path, so that they can be copied."""
    path = tmp_path / ("a" * 90) / "run.h5"
    path.parent.mkdir()
    settings = ["--set", "optimizer={kind='cgls',max_iterations=1,tolerance=0.0}"]
    shown = command("run", DIABETES, "-o", path, "--no-check", *settings).stdout.splitlines()
    assert f"go on              occore resume {path} --set optimizer.max_iterations=…" in shown
    assert f"see it             occore inspect {path} --plot figure.png" in shown


@pytest.mark.parametrize("name", WRONG_CASES)
def test_a_wrong_case_is_one_error_with_status_2_and_creates_nothing(
    tmp_path, capsys, name, monkeypatch
):
    old, new, message = WRONG_CASES[name]
    text = DIABETES.read_text()
    assert old in text
    (tmp_path / "case.toml").write_text(text.replace(old, new, 1))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main(["run", "case.toml", "-o", "run.h5"])
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: case.toml:")
    assert message in error
    assert "Traceback" not in error
    assert [path.name for path in tmp_path.iterdir()] == ["case.toml"]


def test_a_wrong_case_in_a_process_of_its_own(tmp_path):
    (tmp_path / "case.toml").write_text(DIABETES.read_text().replace('"qr"', '"qqr"'))
    done = command("run", "case.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert "case.toml:25: optimizer.kind: unknown optimizer 'qqr'" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_run_shows_the_result_and_the_next_commands(tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["run", str(DIABETES), "-o", str(tmp_path / "run.h5")])
    assert caught.value.code == 0
    output = capsys.readouterr().out
    for text in ("Diabetes", "solved", "objective", "r squared (held-out)", "checks passed"):
        assert text in output
    assert "occore inspect" in output


def test_help_is_quick_and_light():
    """What makes start-up slow is what is imported; the time is printed by make bench."""
    script = (
        "import sys\n"
        "from occore.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit: pass\n"
        "print('MODULES', *sorted(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    modules = set(done.stdout.partition("MODULES")[2].split())
    assert "Commands:" in done.stdout
    slow = {"sympy", "scipy", "scipy.optimize", "numpy", "h5py", "pydantic", "rich.console"}
    assert not slow & modules


def test_inspect_imports_neither_sympy_nor_scipy_optimize(tmp_path):
    command("run", DIABETES, "-o", tmp_path / "run.h5")
    script = (
        "import sys\n"
        "from occore.cli import main\n"
        f"try:\n    main(['inspect', {str(tmp_path / 'run.h5')!r}])\nexcept SystemExit: pass\n"
        "print('MODULES', *sorted(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    modules = set(done.stdout.partition("MODULES")[2].split())
    assert "held_out" in done.stdout
    assert not {"sympy", "scipy.optimize"} & modules


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name, capsys):
    with pytest.raises(SystemExit) as caught:
        main([name, "--help"])
    assert caught.value.code == 0
    assert "Usage: occore" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["inspekt"], "Did you mean 'inspect'?"),
        (["run"], "Missing argument"),
        (["run", "nowhere.toml"], "nowhere.toml: no such case file"),
        (["inspect", "nowhere.h5"], "nowhere.h5: there is no such file"),
        (["resume", "nowhere.h5"], "nowhere.h5: there is no such file"),
        (["plugins", "cgsl"], "Did you mean 'cgls'?"),
        (["run", str(DIABETES), "--plugin", "nowhere.py"], "no such Python file"),
        (["run", str(DIABETES), "-o", "no/folder/run.h5"], "there is no folder no/folder"),
    ],
)
def test_wrong_calls(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_traceback_is_for_those_who_ask(tmp_path):
    assert "Traceback" in command("run", "nowhere.toml", "--traceback").stderr


def test_check_prints_the_table(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["check", str(DIABETES)])
    assert caught.value.code == 0
    assert " passed, 0 failed" in capsys.readouterr().out


def test_plugins_lists_and_describes(capsys):
    with pytest.raises(SystemExit):
        main(["plugins"])
    assert "tikhonov" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["plugins", "lsqr"])
    output = capsys.readouterr().out
    for text in ("Paige and Saunders", "max_iterations", "1000", "steps at most"):
        assert text in output


def test_the_schema_accepts_the_cases_and_marks_mistakes(capsys):
    with pytest.raises(SystemExit):
        main(["schema"])
    schema = json.loads(capsys.readouterr().out)
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(schema)
    for path in sorted(Path("cases").rglob("*.toml")):
        assert list(validator.iter_errors(tomllib.loads(path.read_text()))) == [], path
    case = tomllib.loads(DIABETES.read_text())
    case["optimizer"]["maximum"] = 3
    assert len(list(validator.iter_errors(case))) == 1


def test_version(capsys):
    import occore

    with pytest.raises(SystemExit):
        main(["--version"])
    assert occore.__version__ in capsys.readouterr().out


def test_check_sends_what_the_case_names_through_the_conformance_suite(capsys):
    from occore.cli.check import conformance

    rows = conformance(load_case("cases/08_continuous/lqr.toml"))
    subjects = {row["subject"] for row in rows if row["verdict"] == "pass"}
    assert subjects == {
        "dynamics symbolic",
        "discretization rk4",
        "control_space piecewise_linear",
        "objective bolza",
    }
