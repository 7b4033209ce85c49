"""What `occore inspect --plot` draws of a path of λ and of a restored picture."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import occore
from occore.plotting import figure_for, save_figure
from occore_least_squares.figures import draw_path, draw_pictures, figure, psnr, restored_picture


@pytest.fixture
def panel():
    from matplotlib.figure import Figure

    return Figure()


def run_of(name, tmp_path, *settings):
    case = occore.load_case(f"cases/02_least_squares/{name}.toml", settings=settings)
    return occore.run(case, tmp_path / f"{name}.h5", checks=False)


@pytest.mark.parametrize("choose", ["l_curve", "gcv", "leave_one_out", "validation"])
def test_a_path_with_its_choice(choose, tmp_path, panel):
    run = run_of("diabetes_path", tmp_path, f"optimizer.choose={choose}")
    path = run.result["path"]
    draw_path(path, panel)
    curve, criterion, coefficients = panel.axes
    line, chosen, corner = curve.get_lines()
    assert_allclose(line.get_xydata().T, [path["residual_norm"], path["seminorm"]])
    k, top = path["chosen"], np.nanargmax(path["curvature"])
    assert_allclose(chosen.get_xydata()[0], [path["residual_norm"][k], path["seminorm"][k]])
    assert_allclose(corner.get_xydata()[0], [path["residual_norm"][top], path["seminorm"][top]])
    assert_allclose(criterion.get_lines()[1].get_xydata()[0][0], path["chosen_lambda"])
    assert len(coefficients.get_lines()) == 11  # ten weights, and the line at the choice


def test_many_coefficients_are_drawn_at_the_choice(tmp_path, panel):
    run = run_of("gravity", tmp_path)
    draw_path(run.result["path"], panel)
    found = panel.axes[2].get_lines()[0].get_ydata()
    assert_allclose(found, run["controls/fit/W"][0])


def test_a_picture_and_its_restoration(tmp_path, panel):
    run = run_of("inpainting", tmp_path, "data.shrink=12", "optimizer.max_iterations=20")
    draw_pictures(run, panel)
    original, given, restored, _ = (axes.images[0].get_array() for axes in panel.axes)
    known = run["data/known"].astype(bool)
    assert_allclose(original, run["data/picture"])
    assert_allclose(given[known], original[known])
    assert np.all(given[~known] == 1)
    whole = restored_picture(run, original.shape)
    assert_allclose(restored, np.clip(whole, 0, 1))
    assert_allclose(whole.reshape(-1, 3).T, run["controls/restore/W"])
    held_out = run.result["metrics"]["held_out"]["psnr"]
    assert_allclose(psnr(whole[~known], original[~known]), held_out)


def test_other_runs_are_left_to_others(tmp_path):
    assert figure(run_of("diabetes", tmp_path)) is None


def test_the_hook_draws_beside_the_history(tmp_path):
    drawn = figure_for(run_of("gravity", tmp_path))
    titles = [axes.get_title() for panel in drawn.subfigs for axes in panel.axes]
    assert "L-curve" in titles
    assert "history" in titles
    save_figure(drawn, tmp_path / "figure.png")


def test_a_damaged_path_is_one_line(tmp_path, capsys):
    """A run file from a stranger may lack what a path has."""
    from occore.cli import main
    from occore.storage.record import RunRecord
    from occore.storage.writer import write_run

    history = {"iteration": np.zeros(1, int), "objective": np.zeros(1)}
    history["gradient_norm"] = np.zeros(1)
    result = {"path": {"lambda": np.ones(2), "chosen": 7}}
    write_run(tmp_path / "r.h5", RunRecord("", "solved", "", "0", "", "", history, result=result))
    with pytest.raises(SystemExit) as caught:
        main(["inspect", str(tmp_path / "r.h5"), "--plot", str(tmp_path / "r.png")])
    assert caught.value.code == 2
    assert "damaged, cannot be drawn" in capsys.readouterr().err
