"""The figure of a fit to trajectories."""

import matplotlib.figure
import numpy as np
import pytest

import occore
from occore_continuous.figures import figure

CASE = {
    "title": "turn",
    "data": {
        "kind": "simulated",
        "states": ["x", "y"],
        "rates": {"x": "-y", "y": "x"},
        "start": [1.0, 0.0],
        "horizon": 2.0,
        "observations": 4,
        "trajectories": 3,
        "spread": 1.0,
        "irregular": True,
    },
    "phase": [
        {
            "name": "flow",
            "dynamics": {
                "kind": "symbolic",
                "states": ["x", "y"],
                "controls": [],
                "unknowns": ["w"],
                "rates": {"x": "-w*y", "y": "w*x"},
            },
            "discretization": {"kind": "rk4", "steps": 8},
            "observations": "data",
            "controls": {"kind": "constant"},
            "guess": {"w": 0.8},
        }
    ],
    "objective": {"kind": "observation_misfit"},
    "optimizer": {"kind": "gauss_newton"},
    "observer": [{"kind": "phase_portrait", "points": 5}, {"kind": "evaluation_counts"}],
    "run": {"record": ["controls", "trajectory"]},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return occore.run(CASE, tmp_path_factory.mktemp("run") / "run.h5", checks=False)


def test_three_panels(run):
    panel = matplotlib.figure.Figure(figsize=(15, 5))
    draw = figure(run)
    draw(panel)
    in_time, plane, evaluations = panel.axes
    assert draw.width > 15
    assert [text.get_text() for text in in_time.get_legend().get_texts()] == ["x", "y"]
    fit = in_time.lines[1].get_xydata()  # the fit of x over time, of the first sample
    assert np.allclose(fit[:, 1], np.cos(fit[:, 0]), atol=1e-3)
    assert plane.get_xlabel() == "x"
    assert len(plane.lines) == 6  # points and fit of three samples
    forward = evaluations.lines[0].get_ydata()
    assert np.all(forward == 4 * (len(fit) - 1))


def test_the_portrait_is_that_of_the_field_that_was_found(run):
    seen = run["observers/phase_portrait"]
    x, y = np.meshgrid(seen["x"][-1], seen["y"][-1])
    assert np.allclose(seen["rates"][-1], np.stack([-y, x], axis=-1), atol=1e-3)
    assert not np.allclose(seen["rates"][0], np.stack([-y, x], axis=-1), atol=1e-3)


def test_other_runs_are_left_to_other_plugins(tmp_path):
    run = occore.run("cases/08_continuous/lqr.toml", tmp_path / "lqr.h5", checks=False)
    assert figure(run) is None
