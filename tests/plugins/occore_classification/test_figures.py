"""Figures of classifications, and what the command line says of a run without a minimiser."""

import numpy as np
import pytest

import occore
from occore.cli import main
from occore.plotting import figure_for, save_figure
from occore_classification.figures import figure, plot_confusion, plot_reject

CASES = {"half_plane": 3, "digits": 3, "iris_l1": 3}


@pytest.fixture(scope="module", params=CASES)
def named_run(request, tmp_path_factory):
    case = occore.load_case(
        f"cases/03_classification/{request.param}.toml", settings=["optimizer.max_iterations=2"]
    )
    output = tmp_path_factory.mktemp("run") / "run.h5"
    return request.param, occore.run(case, output, checks=False)


def test_panels(named_run, tmp_path):
    """Confusion and calibration; regions of the plane, or rows of weights that are pictures."""
    name, run = named_run
    draw = figure(run)
    assert draw is not None
    assert draw.panels == CASES[name]
    drawn = figure_for(run)
    assert drawn.get_size_inches()[0] == draw.width
    titles = {axes.get_title() for axes in drawn.get_axes()}
    assert {"history", "calibration"} < titles
    assert any("% errors" in title for title in titles)
    assert ("decision (held-out samples ringed)" in titles) == (name == "half_plane")
    save_figure(drawn, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 20_000


def test_segmentation_shows_pictures(tmp_path):
    """Three pictures, each beside the classes of its pixels and the decisions."""
    settings = ["optimizer.max_iterations=1", "data.samples=30"]
    case = occore.load_case("cases/05_convolution/segmentation.toml", settings=settings)
    drawn = figure_for(occore.run(case, tmp_path / "run.h5", checks=False))
    images = [axes.images[0].get_array() for axes in drawn.get_axes() if axes.images]
    assert [image.shape for image in images].count((32, 32)) == 9
    assert {"picture", "truth", "decision"} < {axes.get_title() for axes in drawn.get_axes()}


def test_errors_against_rejected_digits(tmp_path):
    """Least squares to codes has no probabilities: confusion and the reject option, both rules."""
    settings = ["objective={kind='class_codes'}", "optimizer={kind='qr'}"]
    case = occore.load_case("cases/03_classification/iris_l1.toml", settings=settings)
    run = occore.run(case, tmp_path / "run.h5", checks=False)
    draw = figure(run)
    assert draw is not None
    assert draw.panels == 2
    curves = next(a for a in figure_for(run).get_axes() if a.get_title() == "reject option")
    labels = curves.get_legend_handles_labels()[1]
    rules, parts = ("best − second output", "best output"), ("train", "held-out")
    assert labels == [*(f"{part}, by {rule}" for part in parts for rule in rules), "1 %"]


@pytest.mark.parametrize(("wrong", "end"), [(0.02, 10), (0.2, 20), (0.9, 50)])
def test_the_reject_option_is_drawn_as_far_as_there_are_errors(wrong, end):
    """In per cent, and to 10 at least; one rule rejects the wrong samples first."""
    axes = pytest.importorskip("matplotlib.figure").Figure().subplots()
    shares = np.linspace(0, 0.5, 101)
    metrics = {"reject_shares": shares, "reject_error_difference": np.maximum(0, wrong - shares)}
    plot_reject({"train": metrics | {"reject_error_best": np.zeros(101)}}, axes)
    assert axes.get_xlim() == pytest.approx((0, end), abs=0.6)
    assert axes.lines[0].get_ydata()[0] == pytest.approx(100 * wrong)


@pytest.mark.parametrize(("names", "turn"), [(["no", "yes"], 0), (["level 1", "level 2"] * 3, 45)])
def test_names_of_classes_are_turned_where_they_would_not_fit(names, turn):
    axes = pytest.importorskip("matplotlib.figure").Figure().subplots()
    metrics = {"confusion_matrix": np.eye(len(names), dtype=int), "error_rate": 0.0}
    plot_confusion(metrics, names, "train", axes)
    assert {label.get_rotation() for label in axes.get_xticklabels()} == {turn}


def test_a_regression_is_not_drawn_here(tmp_path):
    run = occore.run("cases/02_least_squares/diabetes.toml", tmp_path / "run.h5", checks=False)
    assert figure(run) is None


def test_the_command_line_tells_of_the_growth(tmp_path, capsys):
    case = "cases/03_classification/half_plane.toml"
    settings = ["--set", "objective.penalty=[]", "--set", "optimizer={kind='newton'}"]
    with pytest.raises(SystemExit) as caught:
        main(["run", case, "-o", str(tmp_path / "run.h5"), *settings])
    assert caught.value.code == 1
    shown = capsys.readouterr().out
    assert "unbounded: the controls grow without bound" in shown
    assert "norm of the controls   0 →" in shown
