"""Loss pictures: J on a plane of random directions through θ, and the command that draws one."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import occore
from occore import Data, InputError, Phase, Problem
from occore.cli import main
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.linear import Linear
from occore_single_layer.loss_picture import loss_picture, plot_loss_picture


@pytest.fixture
def problem(rng):
    layer = Linear((3,), 2, bias=False)
    data = Data(rng.standard_normal((20, 3)), rng.standard_normal((20, 2)))
    return Problem((Phase("fit", layer),), LeastSquares(), data)


def test_a_quadratic_is_its_taylor_polynomial(problem, rng):
    """J(θ) + gᵀd + ½ dᵀHd, exact for least squares, with H and g of the problem."""
    theta = rng.standard_normal(6)
    picture = loss_picture(problem, theta, rng, radius=2.0, points=5)
    d = picture.directions
    np.testing.assert_allclose(d @ d.T, np.eye(2), atol=1e-14)
    np.testing.assert_allclose(picture.steps, [-2, -1, 0, 1, 2])
    J, g = problem.value_and_gradient(theta)
    H = np.array([problem.hessian_product(theta, e) for e in d]) @ d.T
    alpha, beta = np.meshgrid(picture.steps, picture.steps)
    s = np.stack([alpha, beta], axis=-1)
    expected = J + s @ (d @ g) + np.einsum("...i,ij,...j->...", s, H, s) / 2
    np.testing.assert_allclose(picture.loss, expected, rtol=1e-12)


def test_it_is_no_work_of_the_problem(problem, rng):
    loss_picture(problem, np.ones(6), rng, points=3)
    assert problem.counts.work == 0


def test_the_radius_is_the_norm_where_not_given(problem, rng):
    assert loss_picture(problem, 3 * np.eye(6)[0], rng, points=3).steps[-1] == pytest.approx(3.0)
    assert loss_picture(problem, np.zeros(6), rng, points=3).steps[-1] == 1.0


def test_one_unknown_has_no_plane(problem, rng):
    data = Data(problem.data.inputs[:, :1], problem.data.targets[:, :1])
    one = replace(problem, phases=(Phase("fit", Linear((1,), 1, bias=False)),), data=data)
    with pytest.raises(InputError, match="two directions, and the problem one unknown"):
        loss_picture(one, np.ones(1), rng)


def test_levels_are_logarithmic_over_a_decade(problem, rng):
    figure_module = pytest.importorskip("matplotlib.figure")
    for radius, label in ((0.01, "J"), (30.0, "log₁₀ J")):
        picture = loss_picture(problem, np.ones(6), rng, radius, 5)
        figure = figure_module.Figure()
        plot_loss_picture(picture, figure.subplots())
        assert figure.get_axes()[1].get_ylabel() == label


def test_the_example_of_the_readme(capsys):
    text = Path("plugins/occore_single_layer/README.md").read_text()
    (block,) = re.findall(r"```python\n(.*?loss_picture.*?)```", text, re.DOTALL)
    exec(compile(block, "block", "exec"), {})  # noqa: S102
    assert capsys.readouterr().out.strip() in block


@pytest.fixture
def run_file(tmp_path):
    settings = ["data.samples=50", "data.test_samples=5"]
    case = occore.load_case("cases/04_single_layer/elm_sinc.toml", settings=settings)
    occore.run(case, tmp_path / "run.h5", checks=False)
    return tmp_path / "run.h5"


def call(*words):
    with pytest.raises(SystemExit) as caught:
        main(["loss-picture", *map(str, words)])
    return caught.value.code


def test_the_command_draws_the_end_of_a_run(run_file, tmp_path, capsys):
    assert call(run_file, tmp_path / "loss.png", "--points", 5) == 0
    assert capsys.readouterr().out == f"wrote {tmp_path / 'loss.png'}\n"
    assert (tmp_path / "loss.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{run}", "{folder}/loss.pdf"], "figures are written as PNG"),
        (["{folder}/no.h5", "{folder}/loss.png"], "there is no such file"),
        (["{run}", "{folder}/loss.png", "--radius", "-1"], "not in the range"),
    ],
)
def test_what_is_wrong_is_one_line(run_file, tmp_path, capsys, words, message):
    assert call(*(word.format(run=run_file, folder=tmp_path) for word in words)) == 2
    assert message in capsys.readouterr().err
