"""What a run keeps of a regression of one number on another."""

import numpy as np
import pytest

import occore
from occore.lattice import LATTICE, MARGIN, MOST_SAMPLES
from occore.regression import regression_record

CASE = {
    "title": "t",
    "data": {"kind": "sinc", "samples": 2500, "test_samples": 30},
    "phase": [{"name": "fit", "dynamics": {"kind": "linear", "width": 1}}],
    "objective": {"kind": "least_squares"},
    "optimizer": {"kind": "qr"},
}


def test_the_curve_is_in_the_run_file(tmp_path):
    run = occore.run(occore.load_case(CASE), tmp_path / "run.h5", checks=False)
    curve, W, b = run.result["curve"], run["controls/fit/W"], run["controls/fit/b"]
    assert curve["x"].shape == (LATTICE,)
    np.testing.assert_allclose(curve["output"], W[0, 0] * curve["x"] + b[0], rtol=1e-12)
    drawn = curve["train"]["input"]
    assert MOST_SAMPLES / 2 < len(drawn) <= MOST_SAMPLES
    assert curve["x"][0] < drawn.min() < drawn.max() < curve["x"][-1]
    assert curve["x"][-1] - curve["x"][0] == pytest.approx(20 * (1 + 2 * MARGIN), rel=0.01)
    points = curve["held_out"]
    np.testing.assert_allclose(points["target"], np.sin(points["input"]) / points["input"])


@pytest.mark.parametrize(
    ("data", "width"), [({"kind": "peaks", "samples": 20}, 1), ({"kind": "iris"}, 3)]
)
def test_other_problems_have_none(data, width):
    phase = [{"name": "fit", "dynamics": {"kind": "linear", "width": width}}]
    problem = occore.load_case(CASE | {"data": data, "phase": phase}).build().problem
    assert regression_record(problem, np.zeros(problem.size), None) == {}
