"""Figures of single layer networks."""

import pytest

import occore
from occore.plotting import figure_for, save_figure, square_pictures
from occore_single_layer.figures import figure


@pytest.fixture
def run_of(tmp_path):
    def run(name, *settings):
        case = occore.load_case(f"cases/{name}.toml", settings=settings)
        return occore.run(case, tmp_path / "run.h5", checks=False)

    return run


def test_a_regression_of_one_number_shows_data_and_fit(run_of, tmp_path):
    run = run_of("04_single_layer/elm_sinc", "data.samples=200", "data.test_samples=50")
    drawn = figure_for(run)
    axes = next(axes for axes in drawn.get_axes() if axes.get_title() == "fit")
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels[0].startswith("train, rmse 0.1")
    assert labels[1].startswith("held-out, rmse 0.0")
    assert labels[2] == "fit"
    train, held_out, fit = axes.get_lines()
    assert (len(train.get_xdata()), len(held_out.get_xdata())) == (200, 50)
    assert list(fit.get_ydata()) == list(run["result/curve/output"])
    save_figure(drawn, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 20_000


def test_other_runs_are_not_drawn_here(run_of):
    assert figure(run_of("02_least_squares/diabetes")) is None


def test_regions_behind_a_hidden_layer(run_of):
    run = run_of("04_single_layer/elm_peaks5", "data.samples=500")
    titles = {axes.get_title() for axes in figure_for(run).get_axes()}
    assert "decision (held-out samples ringed)" in titles


def test_weights_of_features_are_no_pictures(run_of):
    """A hundred features are as many as the pixels of a picture, and are none."""
    run = run_of("04_single_layer/elm_digits", "phase.hidden.dynamics.width=100")
    assert run["controls/fit/W"].shape == (10, 100)
    assert square_pictures(run) is None
