"""Least squares to codes of classes: the targets, and a fit that classifies."""

import numpy as np
import pytest

import occore
from occore import Data, InputError
from occore_classification.class_codes import ClassCodes


def test_codes_are_plus_and_minus_one():
    data = Data(np.zeros((2, 1)), np.eye(3)[[2, 0]], classes=("a", "b", "c"))
    assert ClassCodes().encode_targets(data).targets.tolist() == [[-1, -1, 1], [1, -1, -1]]


@pytest.mark.parametrize(
    ("targets", "classes", "message"),
    [
        (np.ones((2, 1)), None, "no classes; for numbers take least_squares"),
        (np.ones((2, 4, 4, 3)), ("a", "b", "c"), r"shape \(2, 4, 4, 3\) with classes"),
    ],
)
def test_other_targets_are_refused(targets, classes, message):
    with pytest.raises(InputError, match=message):
        ClassCodes().encode_targets(Data(np.zeros((2, 1)), targets, classes=classes))


def test_codes_of_a_linear_fit_decide_as_one_hot_rows_do(tmp_path):
    """x = 2 y − 1 maps the one fit onto the other, so that the decisions are the same."""
    error = {}
    for kind in ("class_codes", "least_squares"):
        settings = [f"objective={{kind='{kind}'}}", "optimizer={kind='qr'}", "data={kind='wine'}"]
        settings += ["data.held_out=0.4", "phase.fit.dynamics.width=3"]
        case = occore.load_case("cases/02_least_squares/digits.toml", settings=settings)
        run = occore.run(case, tmp_path / f"{kind}.h5", checks=False)
        error[kind] = run.result["metrics"]["held_out"]["error_rate"]
        if kind == "class_codes":
            assert run.result["metrics"]["held_out"]["confusion_matrix"].sum() == 71
    assert error["class_codes"] == error["least_squares"] < 0.1
