"""Checking cases: every error at once, with its place, its key and what to do."""

import copy

import pytest

from occore.case import load_case
from occore.case.complaints import CaseError

GOOD = """\
title = "A case"
[data]
kind = "iris"
held_out = 0.2
[[phase]]
name = "fit"
dynamics = { kind = "linear", width = 3 }
[objective]
kind = "least_squares"
[[objective.penalty]]
kind = "tikhonov"
weight = 0.1
[optimizer]
kind = "cgls"
max_iterations = 50
"""

WRONG = {
    "bad type": (
        ("width = 3", 'width = "three"'),
        "case.toml:7: phase[0].dynamics.width: expected a valid integer, got 'three'",
    ),
    "bool for a number": (
        ("width = 3", "width = true"),
        "case.toml:7: phase[0].dynamics.width: expected a valid integer, got True",
    ),
    "out of range": (
        ("held_out = 0.2", "held_out = 1.5"),
        "case.toml:4: data.held_out: expected less than 1, got 1.5",
    ),
    "not finite": (
        ("weight = 0.1", "weight = inf"),
        "case.toml:12: objective.penalty[0].weight: expected a finite number, got inf",
    ),
    "a date": (
        ('title = "A case"', "title = 2026-01-01"),
        "case.toml:1: title: expected a valid string, got datetime.date(2026, 1, 1)",
    ),
    "unknown key": (
        ("max_iterations", "max_iteration"),
        "case.toml:15: optimizer.max_iteration: unknown key. Did you mean 'max_iterations'? "
        "Known: kind, max_iterations, noise_level, ",
    ),
    "unknown key at the top": (
        ('title = "A case"', 'title = "A case"\nsed = 3'),
        "case.toml:2: sed: unknown key. Did you mean 'seed'? Known: backend, data, dtype, "
        "objective, observer, optimizer, phase, run, seed, title",
    ),
    "unknown kind": (
        ('"cgls"', '"cgsl"'),
        "case.toml:14: optimizer.kind: unknown optimizer 'cgsl'. Did you mean 'cgls'? Known: ",
    ),
    "missing key": (
        (", width = 3", ""),
        "case.toml:7: phase[0].dynamics.width: this key is missing (number of outputs)",
    ),
    "missing kind": (
        ('kind = "cgls"\n', ""),
        "case.toml:13: optimizer.kind: this key is missing (a registered name)",
    ),
    "missing table": (
        ('[optimizer]\nkind = "cgls"\nmax_iterations = 50\n', ""),
        "case.toml:1: optimizer: this key is missing (the method that minimises it)",
    ),
    "syntax": (
        ("held_out = 0.2", "held_out 0.2"),
        "case.toml:4: TOML syntax: Expected '=' after a key",
    ),
    "duplicate key": (
        ("held_out = 0.2", "held_out = 0.2\nheld_out = 0.3"),
        "case.toml:5: TOML syntax: Cannot overwrite a value",
    ),
    "no table": (
        ("weight = 0.1", "weight = 0.1\n[run]\nrecord = 3"),
        "case.toml:14: run.record: expected a valid list, got 3",
    ),
    "penalty as objective": (
        ('"least_squares"', '"tikhonov"'),
        "case.toml:9: objective.kind: the objective 'tikhonov' is a penalty; put it into a table "
        "[[objective.penalty]]",
    ),
    "objective as penalty": (
        ('"tikhonov"', '"least_squares"'),
        "case.toml:11: objective.penalty[0].kind: the objective 'least_squares' is no penalty",
    ),
    "static phase with a horizon": (
        ('name = "fit"', 'name = "fit"\nhorizon = 2.0'),
        "case.toml:7: phase[0].horizon: a static phase has none",
    ),
}


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text):
        (tmp_path / "case.toml").write_text(text)
        return "case.toml"

    return write


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_case_has_one_clear_error(write, host, name):
    (old, new), message = WRONG[name]
    assert GOOD.count(old) >= 1
    with pytest.raises(CaseError) as caught:
        load_case(write(GOOD.replace(old, new, 1)), host=host)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_all_errors_come_at_once(write, host):
    text = GOOD.replace("width = 3", "width = -1").replace('"cgls"', '"qrr"').replace("0.1", '"x"')
    with pytest.raises(CaseError) as caught:
        load_case(write(text), host=host)
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        "phase[0].dynamics.width",
        "objective.penalty[0].weight",
        "optimizer.kind",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xef\xbb\xbf" + GOOD.encode(), "byte-order mark"),
        (GOOD.encode() + b"\0", "TOML syntax"),
        (b"\xff\xfe" + GOOD.encode("utf-16-le"), "not UTF-8"),
        (b"x" * 70_000, "a case has at most 40000"),
        (b"a = " + b"[" * 20_000, "nested too deeply"),
        (b"a = " + b"9" * 30_000, "TOML syntax"),
        (b"", "title: this key is missing"),
    ],
    ids=["bom", "nul", "utf-16", "large", "deep", "huge integer", "empty"],
)
def test_hostile_texts(write, tmp_path, host, content, message):
    path = write("")
    (tmp_path / path).write_bytes(content)
    with pytest.raises(CaseError, match=message):
        load_case(path, host=host)


def test_windows_line_ends_are_fine(write, tmp_path, host):
    path = write("")
    (tmp_path / path).write_bytes(GOOD.replace("\n", "\r\n").encode())
    assert load_case(path, host=host).title == "A case"


def test_a_missing_file_and_a_folder(host, tmp_path):
    with pytest.raises(CaseError, match="no such case file"):
        load_case("nowhere.toml", host=host)
    with pytest.raises(CaseError, match="not a file"):
        load_case(tmp_path, host=host)


def test_overrides(write, host):
    path = write(GOOD)
    settings = ["optimizer.max_iterations=7", "phase.fit.dynamics.width=4", "optimizer.kind=lsqr"]
    case = load_case(path, settings=[*settings, "run.checkpoint_every=2"], host=host)
    resolved = case.resolved()
    assert resolved["optimizer"]["max_iterations"] == 7
    assert resolved["optimizer"]["tolerance"] == 1e-10
    assert resolved["phase"][0]["dynamics"]["width"] == 4
    assert resolved["run"]["checkpoint_every"] == 2


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "optimizer.max_iterations=x",
            "--set optimizer.max_iterations=x: optimizer.max_iterations",
        ),
        ("optimizer.max_iterations", "expected KEY=VALUE"),
        ("phase.fitt.dynamics.width=1", "no element 'fitt'; known: \\['fit'\\]"),
        ("title.x=1", "below a value that is no table"),
        ("backend=nunpy", "expected 'numpy'.*, got 'nunpy'. Did you mean 'numpy'"),
    ],
)
def test_wrong_overrides_name_themselves(write, host, setting, message):
    with pytest.raises(CaseError, match=message):
        load_case(write(GOOD), settings=[setting], host=host)


def test_the_resolved_case_is_the_same_case(write, host):
    import tomllib

    case = load_case(write(GOOD), host=host)
    again = load_case(tomllib.loads(case.resolved_text()), host=host)
    assert again.resolved() == case.resolved()
    a, b = case.build(), again.build()
    assert a.problem.value(a.theta) == b.problem.value(b.theta)


def test_two_phases_of_one_name(write, host):
    text = GOOD.replace("[objective]", '[[phase]]\nname = "fit"\ndynamics = {}\n[objective]', 1)
    with pytest.raises(CaseError, match="two phases have the name 'fit'"):
        load_case(write(text), host=host)


class TestBuilding:
    """Errors that need the data or the chain."""

    @pytest.fixture
    def tables(self):
        import tomllib

        return copy.deepcopy(tomllib.loads(GOOD))

    def error(self, tables, host):
        case = load_case(tables, host=host)
        with pytest.raises(CaseError) as caught:
            case.build()
        return str(caught.value)

    def test_outputs_that_do_not_fit_the_targets(self, tables, host):
        tables["phase"][0]["dynamics"]["width"] = 2
        assert "the last phase 'fit' gives outputs of shape (2,), but the targets" in self.error(
            tables, host
        )

    def test_a_missing_data_file(self, tables, host):
        tables["data"] = {"kind": "csv", "path": "nowhere.csv", "target": "y"}
        assert "data.path: no file 'nowhere.csv'" in self.error(tables, host)

    def test_an_optimizer_for_another_structure(self, tables, host):
        tables["phase"].insert(0, {"name": "first", "dynamics": {"kind": "linear", "width": 5}})
        text = self.error(tables, host)
        assert "optimizer.kind: 'cgls' needs the structure 'linear_least_squares', but" in text
        assert "the phase 'fit' (Linear) is a second one with controls" in text
        would_do = text.partition("Optimizers that would do: ")[2].split(", ")
        assert "lbfgs" in would_do
        assert "lsqr" not in would_do

    def test_an_integrated_phase_that_changes_its_width(self, tables, host):
        tables["phase"][0]["discretization"] = {"kind": "forward_euler", "steps": 3}
        assert "must keep the shape of its state, (4,)" in self.error(tables, host)

    def test_a_penalty_on_a_control_that_is_not_there(self, tables, host):
        tables["objective"]["penalty"][0]["controls"] = ["w"]
        assert "objective.penalty[0]: no control 'w'. Did you mean 'W'?" in self.error(tables, host)

    def test_too_few_samples_held_out(self, tables, host):
        tables["data"]["held_out"] = 0.001
        assert "data.held_out: held_out = 0.001 leaves" in self.error(tables, host)
