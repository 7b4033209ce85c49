"""Trajectories from CSV: union of the times, what is missing, and what is refused."""

import numpy as np
import pytest

from occore import DataError
from occore_continuous.datasets.trajectories import Trajectories

TEXT = "run,t,x,v\na,0,1,2\na,1.5,,3\nb,2,0,1\nb,3,4,1\nb,3.25,5,0\n"


def load(tmp_path, text, **options):
    (tmp_path / "runs.csv").write_text(text)
    options = {"time": "t", "states": ("x", "v"), "sample": "run"} | options
    return Trajectories("runs.csv", **options).load((tmp_path,), np.random.default_rng(0))


def test_samples_share_the_union_of_their_times(tmp_path):
    data, nan = load(tmp_path, TEXT), np.nan
    assert data.times.tolist() == [0.0, 1.0, 1.25, 1.5]
    assert data.inputs.tolist() == [[1, 2], [0, 1]]
    expected = [
        [[1, 2], [nan, nan], [nan, nan], [nan, 3]],
        [[0, 1], [4, 1], [5, 0], [nan, nan]],
    ]
    np.testing.assert_array_equal(data.targets, expected)


def test_times_that_differ_by_rounding_are_one(tmp_path):
    data = load(tmp_path, "run,t,x,v\na,0,1,2\na,0.3,1,1\nb,0.1,1,2\nb,0.4,2,2\n")
    assert len(data.times) == 2  # 0.4 − 0.1 is not 0.3
    assert not np.isnan(data.targets).any()


def test_one_trajectory_without_a_column_that_names_it(tmp_path):
    data = load(tmp_path, "v,t,x\n2,1900,1\n3,1901,2\n", sample=None)
    assert data.times.tolist() == [0, 1]
    assert data.targets.tolist() == [[[1, 2], [2, 3]]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("run,t,x,v\na,0,1,2\na,0,1,2\n", ":3: the time 0 does not follow 0"),
        ("run,t,x,v\na,0,,2\na,1,1,2\n", "trajectory a begins with empty cells"),
        ("run,t,x,v\na,0,1,2\n", "trajectory a has one line"),
        ("run,t,x,v\n", "no observations"),
        ("run,t,x,v\na,0,1,2\na,1,one,2\n", ":3: column 'x': 'one' is no finite number"),
        ("run,t,x,w\na,0,1,2\n", "no column 'v'"),
    ],
)
def test_what_is_refused(tmp_path, text, message):
    with pytest.raises(DataError) as found:
        load(tmp_path, text)
    assert message in str(found.value)
