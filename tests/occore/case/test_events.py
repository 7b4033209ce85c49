"""Events and switches in case files: what they build, and what is refused where."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

import occore
from occore.case import load_case
from occore.case.complaints import CaseError
from occore.cli import main

PHASE = """\
title = "A ball"
[[phase]]
name = "ball"
discretization = { kind = "rk4", steps = 20 }
horizon = 5.0
controls = { kind = "constant" }
[phase.dynamics]
kind = "symbolic"
states = ["x", "v"]
controls = []
unknowns = ["e"]
parameters = { g = 9.8, floor = 0.0 }
rates = { x = "v", v = "-g" }
[[phase.event]]
name = "bounce"
condition = "x - floor"
direction = "falling"
reset = { v = "-e*v" }
[[phase.event]]
name = "top"
condition = "v"
[phase.start]
x = 50.0
v = 0.0
[phase.guess]
e = 0.8
[objective]
kind = "bolza"
terminal = "x"
[optimizer]
kind = "lbfgs"
max_iterations = 1
[run]
record = ["trajectory"]
"""


def load(tmp_path, *changes, settings=()):
    """The case with some texts in it replaced."""
    text = PHASE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "case.toml"
    path.write_text(text)
    return load_case(path, settings=settings)


def test_events_are_built_with_all_derivatives(tmp_path):
    built = load(tmp_path).build()
    (phase,) = built.problem.phases
    assert [(e.name, e.direction, e.terminal) for e in phase.events] == [
        ("bounce", -1, False),
        ("top", 0, False),
    ]
    value, gradient = built.problem.value_and_gradient(built.theta)
    assert_allclose([value, gradient[0]], [29.244565164973502, 56.524758424985279], rtol=1e-12)
    # x(5) is linear in e before the second bounce
    assert_allclose(built.problem.hessian_product(built.theta, np.ones(1)), 0, atol=1e-9)


def test_the_resolved_case_says_all_and_is_the_same_case(tmp_path):
    case = load(tmp_path, ("horizon = 5.0", "horizon = 5.0\nswitches = [1.0, 2.5]"))
    phase = case.resolved()["phase"][0]
    assert phase["switches"] == (1.0, 2.5)
    assert phase["event"][1] == {
        "name": "top",
        "condition": "v",
        "direction": "both",
        "terminal": False,
    }
    again = load_case({**case.resolved()})
    assert again.resolved() == case.resolved()
    assert again.build().problem.phases[0].switches == (1.0, 2.5)


WRONG = [
    ("falling", "down", ":17: phase[0].event[0].direction: expected 'rising', 'falling' or 'both'"),
    ("condition =", "conditon =", ":16: phase[0].event[0].conditon: unknown key. Did you mean 'c"),
    ('"x - floor"', '"x - flor"', ":16: phase[0].event[0].condition: "),
    ('"x - floor"', '"x - floor > 0"', ":16: phase[0].event[0].condition: "),
    ('"x - floor"', '"x.real"', ":16: phase[0].event[0].condition: "),
    ('"x - floor"', '"g*e - 1"', ":16: phase[0].event[0].condition: has neither a state nor t"),
    ("{ v = ", "{ w = ", ":18: phase[0].event[0].reset.w: 'w' is no state. Known: x, v"),
    ('"-e*v"', '"-e*w"', ":18: phase[0].event[0].reset.v: "),
    ('"-e*v"', "-1.0", ":18: phase[0].event[0].reset"),
    ('name = "top"', 'name = "bounce"', ":20: phase[0].event[1].name: two events have the name"),
    ('name = "top"', 'name = "a b"', ":20: phase[0].event[1].name: "),
    ('name = "top"\n', "", ":19: phase[0].event[1].name: this key is missing"),
    ("horizon = 5.0", "horizon = 5.0\nswitches = [5.0]", ":6: phase[0].switches: times must incr"),
    ("horizon = 5.0", "horizon = 5.0\nswitches = [2.0, 2.0]", ":6: phase[0].switches: times must"),
    ("horizon = 5.0", "horizon = 5.0\nswitches = [nan]", ":6: phase[0].switches"),
    ("horizon = 5.0", "horizon = 5.0\nswitches = []", ":6: phase[0].switches"),
    (
        "horizon = 5.0",
        "horizon = { free = true, guess = 5.0 }\nswitches = [1.0]",
        ":6: phase[0].switches: switches are at given times, the horizon is unknown: make two",
    ),
    (
        "horizon = 5.0",
        'horizon = 5.0\ngradient = "optimize_discretize"',
        ":6: phase[0].gradient: a march with events has the exact gradient only",
    ),
    (
        'discretization = { kind = "rk4", steps = 20 }\nhorizon = 5.0\n',
        "",
        ":12: phase[0].event: a static phase has none: add a discretization",
    ),
]


@pytest.mark.parametrize(("old", "new", "message"), WRONG, ids=[w[1] or w[0] for w in WRONG])
def test_what_is_wrong_is_said_where_it_stands(tmp_path, old, new, message):
    with pytest.raises(CaseError) as caught:
        load(tmp_path, (old, new)).build()
    assert f"case.toml{message}" in str(caught.value)


def test_time_in_an_event_with_an_unknown_horizon(tmp_path):
    free = ("horizon = 5.0", "horizon = { free = true, guess = 5.0 }")
    with pytest.raises(CaseError) as caught:
        load(tmp_path, free, ('"v"\n[phase.start]', '"v - t"\n[phase.start]')).build()
    assert ":21: phase[0].event[1].condition: depends on t, and the horizon is" in str(caught.value)
    (phase,) = load(tmp_path, free).build().problem.phases
    hits = phase.happened(np.array([[50.0, 0.0]]), {"e": np.array(0.8), "horizon": np.array(4.0)})
    assert_allclose(hits[0][0].time, 3.1943828249996996, rtol=1e-13)  # in time, not relative to it


def test_dynamics_by_code_have_no_expressions(tmp_path):
    """A static layer made to be integrated: its states have no names."""
    text = PHASE.replace('kind = "symbolic"', 'kind = "linear"\nwidth = 4')
    i, j = text.index("states = "), text.index("[[phase.event]]")
    text = text[:i] + text[j:]
    text = text.replace("[phase.start]\nx = 50.0\nv = 0.0\n", "").replace("e = 0.8\n", "")
    text = text.replace('kind = "bolza"\nterminal = "x"', 'kind = "least_squares"')
    path = tmp_path / "case.toml"
    path.write_text(text.replace('"A ball"', '"Iris"\n[data]\nkind = "iris"'))
    with pytest.raises(CaseError, match=r"event: events .* dynamics of kind"):
        load_case(path).build()


def test_the_schema_knows_the_keys(capsys):
    with pytest.raises(SystemExit):
        main(["schema"])
    schema = json.loads(capsys.readouterr().out)
    keys = schema["properties"]["phase"]["items"]["properties"]
    assert "switches" in keys
    event = json.dumps(keys["event"])
    for key in ("name", "condition", "direction", "reset", "terminal", "falling"):
        assert f'"{key}"' in event


def test_a_run_tells_of_its_events_and_resumes(tmp_path, capsys):
    changes = ("rk4", "dopri5"), ("steps = 20", "rtol = 1e-8"), ('"x"\n[opt', '"(x - 28)**2"\n[opt')
    case = load(tmp_path, *changes)
    run = occore.run(case, tmp_path / "run.h5")
    assert {row["subject"] for row in run.checks} >= {
        "ball: condition of bounce",
        "ball: reset of bounce",
        "ball: all steps",
    }
    assert all(row["verdict"] != "FAIL" for row in run.checks)
    assert "gradient_gap" not in run.result
    events = run["trajectory/ball/events"]
    assert events["name"].tolist() == ["bounce"]  # v jumps over 0 there, and is not back in time
    png = tmp_path / "figure.png"
    for arguments in (
        ["inspect", str(run.path)],
        ["inspect", str(run.path), "--plot", str(png)],
        ["resume", str(run.path), "--set", "optimizer.max_iterations=30"],
    ):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 0
    assert "ball: 1 bounce" in capsys.readouterr().out
    assert png.read_bytes().startswith(b"\x89PNG")
