"""What a run keeps of a classification, what is shown of it, and targets that are encoded."""

import numpy as np
import pytest

import occore
from occore.classification import classification_record
from occore.cli.show import matrices, result_table, rows
from occore.lattice import LATTICE, MOST_SAMPLES

CASE = {
    "title": "t",
    "data": {"kind": "half_plane", "samples": 50, "held_out": 0.2},
    "phase": [{"name": "fit", "dynamics": {"kind": "linear", "width": 1}}],
    "objective": {"kind": "logistic", "penalty": [{"kind": "tikhonov", "weight": 0.1}]},
    "optimizer": {"kind": "newton"},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return occore.run(occore.load_case(CASE), tmp_path_factory.mktemp("run") / "run.h5")


def test_regions_are_in_the_run_file(run):
    regions = run.result["regions"]
    assert regions["decision"].shape == (LATTICE, LATTICE)
    assert set(np.unique(regions["decision"])) == {0, 1}
    assert regions["train"]["points"].shape == (40, 2)
    assert regions["held_out"]["class"].shape == (10,)
    points = np.concatenate([regions[part]["points"] for part in ("train", "held_out")])
    assert regions["x"][0] <= points[:40, 0].min()
    assert list(run.result["classes"]) == ["below", "above"]


def test_metrics_are_arrays_too(run):
    metrics = run.result["metrics"]["train"]
    assert metrics["confusion_matrix"].sum() == 40
    assert metrics["confusion_matrix"].dtype.kind == "i"
    assert run["result/metrics/train/reliability_samples"].sum() == 40
    assert run.select("result/metrics/train/confusion_matrix[0, 1]") >= 0


def test_the_norm_of_the_controls_is_in_the_history(run):
    W, b = run["controls/fit/W"], run["controls/fit/b"]
    assert run.history["control_norm"][0] == 0.0
    assert run.history["control_norm"][-1] == pytest.approx(np.sqrt(np.sum(W**2) + np.sum(b**2)))


def test_many_samples_are_thinned_out():
    case = occore.load_case(CASE, settings=["data.samples=5000"])
    built = case.build()
    record = classification_record(built.problem, np.ones(3), built.held_out)
    drawn = record["regions"]["train"]["points"]
    assert MOST_SAMPLES / 2 < len(drawn) <= MOST_SAMPLES


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        ({"kind": "iris"}, {"classes"}),
        ({"kind": "diabetes"}, set()),
    ],
)
def test_other_problems_have_less(data, keys):
    width = 3 if keys else 1
    objective = "softmax_cross_entropy" if keys else "least_squares"
    phase = [{"name": "fit", "dynamics": {"kind": "linear", "width": width}}]
    case = CASE | {"data": data, "phase": phase, "objective": {"kind": objective}}
    problem = occore.load_case(case | {"optimizer": {"kind": "lbfgs"}}).build().problem
    assert classification_record(problem, np.zeros(problem.size), None).keys() == keys


def test_targets_that_do_not_fit_are_one_line():
    case = occore.load_case(CASE | {"data": {"kind": "iris"}})
    with pytest.raises(occore.InputError, match=r"objective\.kind: logistic takes two classes"):
        case.build()


def test_the_matrices_of_the_held_out_part_are_shown(run):
    from rich.console import Console

    console = Console(width=100)
    with console.capture() as captured:
        console.print(result_table(run.result))
    shown = captured.get()
    assert "error rate (train)" in shown
    assert "confusion" not in shown
    assert "reliability" not in shown
    (matrix,) = matrices(run.result)
    assert matrix.splitlines()[0] == "confusion matrix (held-out)"
    assert len(matrix.splitlines()) == 3


def test_arrays_in_columns():
    assert rows(np.array([[1, 20], [300, 4]])) == "    1  20\n  300   4"
    assert rows(np.array([[1000, 20], [123456, 4]])) == "    1000     20\n  123456      4"
    assert rows(np.zeros((20, 3))) == "20 × 3 numbers"
