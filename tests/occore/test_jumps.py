"""Curves of trajectories with events: both sides of each event, and no line across a jump."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from occore.jumps import curves
from occore.storage.record import EventsRecord, RunRecord, TrajectoryRecord
from occore.storage.run import open_run
from occore.storage.writer import write_run

TIME = np.array([0.0, 1.0, 2.0])
X = np.array([[1.0, 2.0], [0.0, 1.0], [1.0, 0.0]])
V = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, -1.0]])
NAN = float("nan")


@pytest.fixture
def run(tmp_path):
    """Two samples; the first bounces at the node t = 1, the second at 1.5 and at the end."""
    events = EventsRecord(
        np.array([1.0, 1.5, 2.0]),
        np.array([0, 1, 1]),
        np.array(["bounce", "mark", "mark"], object),
        np.array([[0.0, -1.0], [0.5, -1.0], [0.0, -1.0]]),
        np.array([[0.0, 1.0], [0.5, -1.0], [0.0, 3.0]]),
    )
    state = np.stack([X, V], axis=2)
    record = RunRecord(
        title="a",
        status="solved",
        created="2026-01-01T00:00:00+00:00",
        occore_version="0.1.0",
        case_toml="",
        case_toml_resolved="",
        history={"iteration": np.arange(1), "objective": np.zeros(1)},
        trajectory={"ball": TrajectoryRecord(TIME, state, {"x": X, "v": V}, events)},
    )
    write_run(tmp_path / "run.h5", record)
    return open_run(tmp_path / "run.h5")


def drawn(run, name):
    rows = {row.path: row for row in run.tree()}
    path = f"trajectory/ball/{name}"
    return list(curves(run, rows, path, TIME, run[path]))


def test_a_curve_breaks_where_the_state_jumps_and_only_there(run):
    (first, second) = drawn(run, "v")
    assert_array_equal(first[0], [0, 1, 1, 1, 1, 2])
    assert_array_equal(first[1], [-1, -1, NAN, 1, 1, 1])
    assert_array_equal(second[0], [0, 1, 1.5, 1.5, 1.5, 2, 2, 2, 2])
    assert_array_equal(second[1], [-1, -1, -1, -1, -1, -1, NAN, 3, -1])
    (first, _) = drawn(run, "x")
    assert_array_equal(first[1], [1, 0, 0, 0, 0, 1])


def test_the_whole_state_has_a_curve_for_each_number_of_each_sample(run):
    columns = [y for name in "xv" for _, y in drawn(run, name)]
    for place, (_, y) in enumerate(drawn(run, "state")):
        sample, entry = divmod(place, 2)
        assert_array_equal(y, columns[2 * entry + sample])


def test_a_selection_is_drawn_as_it_is(run):
    rows = {row.path: row for row in run.tree()}
    ((time, y),) = curves(run, rows, "trajectory/ball/v", TIME, run["trajectory/ball/v"][:, :1])
    assert_array_equal(time, TIME)
    assert_array_equal(y, V[:, 0])
