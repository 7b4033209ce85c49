"""Penalties on pictures, and a photograph restored from some of its pixels."""

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from numpy.testing import assert_allclose, assert_array_equal

import occore
from occore import Data, DataError, InputError, Phase, Problem
from occore_least_squares.datasets.photograph import Photograph
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.linear import Linear
from occore_least_squares.lsqr import LSQR
from occore_least_squares.tikhonov import Tikhonov
from occore_least_squares.total_variation import TotalVariation

SHAPES = [(4, 5), (1, 6), (6, 1), (2, 2), (1, 1)]


def five_point(rows, columns):
    """The Laplacian with reflecting edges, entry by entry: (number of neighbours) u − their sum."""
    L = np.zeros((rows * columns, rows * columns))
    for i in range(rows):
        for j in range(columns):
            for k, m in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
                if 0 <= k < rows and 0 <= m < columns:
                    L[i * columns + j, i * columns + j] += 1
                    L[i * columns + j, k * columns + m] -= 1
    return L


@pytest.mark.parametrize("shape", SHAPES)
def test_the_laplacian_is_that_of_five_points(shape, rng):
    penalty, L = Tikhonov(operator="laplacian", picture=shape), five_point(*shape)
    u = rng.standard_normal((2, L.shape[0]))
    assert_allclose(penalty.apply(u), u @ L.T, atol=1e-13)
    assert_allclose(penalty.transpose(u), u @ L, atol=1e-13)
    assert_array_equal(penalty.row_operator("fit", "W", L.shape[0]).toarray(), L)


@pytest.mark.parametrize("shape", SHAPES)
def test_total_variation_of_a_picture(shape, rng):
    """Against the sum over pixels, and differences of it."""
    penalty = TotalVariation(smoothing=0.3, picture=shape)
    picture = rng.standard_normal(shape)
    total = 0.0
    for i in range(shape[0]):
        for j in range(shape[1]):
            right = picture[i, j + 1] - picture[i, j] if j + 1 < shape[1] else 0.0
            below = picture[i + 1, j] - picture[i, j] if i + 1 < shape[0] else 0.0
            total += np.sqrt(right**2 + below**2 + 0.3**2)
    u = picture.reshape(1, -1)
    value, part = penalty.linearize({"fit": {"W": u}})
    assert_allclose(value, total, rtol=1e-13)
    gradient, h = part.gradient()["fit"]["W"], 1e-6
    d = rng.standard_normal(u.shape)
    ends = [penalty({"fit": {"W": u + s * d}}) for s in (h, -h)]
    assert_allclose(np.sum(gradient * d), (ends[0] - ends[1]) / (2 * h), rtol=1e-7, atol=1e-9)
    along = part.hessian_product({"fit": {"W": d}})["fit"]["W"]
    slopes = [
        penalty.linearize({"fit": {"W": u + s * d}})[1].gradient()["fit"]["W"] for s in (h, -h)
    ]
    assert_allclose(along, (slopes[0] - slopes[1]) / (2 * h), rtol=1e-6, atol=1e-8)


def test_total_variation_does_not_care_how_sharp_an_edge_is():
    """A step and a ramp of one height cost the same as ε → 0; the Laplacian prefers the ramp."""
    step, ramp = np.repeat([0.0, 1.0], 10)[None], np.linspace(0, 1, 20)[None]
    variation = TotalVariation(smoothing=1e-9, picture=(1, 20))
    smooth = Tikhonov(operator="laplacian", picture=(1, 20))
    costs = [[term({"fit": {"W": u}}) for u in (step, ramp)] for term in (variation, smooth)]
    assert_allclose(costs[0], 1.0, rtol=1e-6)
    assert costs[1][0] > 100 * costs[1][1]


def inpainting(rows, columns, share, rng):
    """A smooth picture of which a share of the pixels is known."""
    i, j = np.mgrid[:rows, :columns]
    picture = np.sin(6 * i / rows) * np.cos(5 * j / columns)
    known = np.sort(rng.permutation(rows * columns)[: int(share * rows * columns)])
    mask = scipy.sparse.eye_array(rows * columns, format="csr")[known]
    objective = LeastSquares() + 1e-2 * Tikhonov(operator="laplacian", picture=(rows, columns))
    phase = Phase("restore", Linear((rows * columns,), 1, bias=False))
    return Problem((phase,), objective, Data(mask, picture.ravel()[known, None])), mask, picture


def test_a_million_unknowns_without_a_matrix(rng):
    """The iterates of SciPy's lsqr on the assembled sparse system, and no room for a dense one."""
    problem, mask, _ = inpainting(1000, 1000, 0.5, rng)
    theta = np.zeros(problem.size)
    optimizer = LSQR(max_iterations=5)
    state = optimizer.init(problem, theta)
    while optimizer.finished(problem, theta, state) is None:
        theta, state = optimizer.step(problem, theta, state)
    L = problem.penalties[0][1].row_operator("restore", "W", 10**6)
    stacked = scipy.sparse.vstack([mask, 0.1 * L], format="csr")
    b = np.append(problem.data.targets[:, 0], np.zeros(10**6))
    scipys = scipy.sparse.linalg.lsqr(stacked, b, iter_lim=5, atol=0, btol=0, conlim=0)[0]
    assert_allclose(theta, scipys, rtol=1e-9, atol=1e-12)


def test_a_smooth_picture_comes_back(rng, solve):
    problem, _, picture = inpainting(40, 60, 0.3, rng)
    theta, _, _ = solve(LSQR(tolerance=1e-9), problem)
    assert np.abs(theta.reshape(40, 60) - picture).max() < 0.1


def test_the_photograph_is_that_of_scikit_learn():
    from sklearn.datasets import load_sample_image

    rng = np.random.default_rng(0)
    data = Photograph("flower", crop=(10, 20, 30, 40)).load((), rng)
    expected = load_sample_image("flower.jpg")[10:40, 20:60] / 255
    assert_allclose(data.targets.reshape(30, 40, 3), expected, rtol=1e-14)
    assert data.picture == (30, 40)
    halves = Photograph("flower", crop=(10, 20, 30, 41), shrink=2, gray=True).load((), rng)
    assert halves.picture == (15, 20)
    assert_allclose(halves.targets[0, 0], expected[:2, :2].mean(), rtol=1e-13)


@pytest.mark.parametrize("crop", [(400, 0, 30, 10), (0, 639, 1, 2), (0, 0, 0, 5)])
def test_a_crop_that_leaves_the_picture(crop):
    with pytest.raises(DataError, match="leaves the picture"):
        Photograph(crop=crop).load((), np.random.default_rng(0))
    with pytest.raises(DataError, match="do not fit"):
        Photograph(shrink=500).load((), np.random.default_rng(0))


def inpainting_case(*settings):
    return occore.load_case("cases/02_least_squares/inpainting.toml", settings=settings)


def test_known_and_lost_pixels_are_in_the_run_file(tmp_path):
    case = inpainting_case("data.shrink=16", "optimizer.max_iterations=3")
    run = occore.run(case, tmp_path / "r.h5", checks=False)
    built = case.build()
    known = run["data/known"]
    assert known.sum() == built.problem.data.samples
    assert_allclose(run["data/picture"][known], built.problem.data.targets)
    assert_allclose(run["data/picture"][~known], built.held_out.targets)
    rmse = run.result["metrics"]["held_out"]["rmse"]
    assert_allclose(run.result["metrics"]["held_out"]["psnr"], -20 * np.log10(rmse), rtol=1e-12)


@pytest.mark.parametrize("kind", ["tikhonov", "total_variation"])
def test_a_picture_that_does_not_fit_is_refused(kind):
    settings = [f"objective.penalty=[{{kind='{kind}',weight=1.0,picture=[3,4]}}]", "data.shrink=16"]
    if kind == "tikhonov":
        settings[0] = settings[0].replace("picture", "operator='laplacian',picture")
    with pytest.raises(InputError, match="a picture of 3 × 4 needs 12 entries"):
        inpainting_case(*settings).build()


def test_the_laplacian_along_other_axes(rng):
    """Of the taps of stencils with channels behind them; as the sum of five points of each."""
    penalty = Tikhonov(operator="laplacian", axes=(-4, -3))
    K = rng.standard_normal((2, 4, 5, 2, 3))
    pictures = np.moveaxis(K, (1, 2), (3, 4)).reshape(2, 2, 3, 20) @ five_point(4, 5).T
    expected = np.moveaxis(pictures.reshape(2, 2, 3, 4, 5), (3, 4), (1, 2))
    assert_allclose(penalty.apply(K), expected, atol=1e-13)
    controls = {"opening": {"K": K}}
    assert_allclose(penalty(controls), np.sum(expected**2) / 2, rtol=1e-13)
    _, part = penalty.linearize(controls)
    assert_allclose(np.sum(part.gradient()["opening"]["K"] * K), np.sum(expected**2), rtol=1e-12)
    assert penalty.row_operator is None


@pytest.mark.parametrize("axes", [(-4, -3), (-3, -4), (-5,), (-5, -4, -3)])
def test_total_variation_along_other_axes(axes, rng):
    """Against the sum of norms, and differences of it."""
    K, d = rng.standard_normal((2, 3, 4, 5, 2, 1))
    squares = 0.3**2
    for axis in axes:
        moved = np.moveaxis(K, axis, 0)
        ahead = np.concatenate([moved[1:], moved[-1:]])  # nothing changes at the far edge
        squares = squares + np.moveaxis((ahead - moved) ** 2, 0, axis)
    penalty = TotalVariation(smoothing=0.3, axes=axes)
    value, part = penalty.linearize({"opening": {"K": K}})
    assert_allclose(value, np.sum(np.sqrt(squares)), rtol=1e-13)
    gradient, h = part.gradient()["opening"]["K"], 1e-6
    assert gradient.shape == K.shape
    ends = [penalty.linearize({"opening": {"K": K + s * d}}) for s in (h, -h)]
    assert_allclose(np.sum(gradient * d), (ends[0][0] - ends[1][0]) / (2 * h), rtol=1e-7)
    along = part.hessian_product({"opening": {"K": d}})["opening"]["K"]
    slopes = [end.gradient()["opening"]["K"] for _, end in ends]
    assert_allclose(along, (slopes[0] - slopes[1]) / (2 * h), rtol=1e-6, atol=1e-7)


def test_total_variation_of_the_last_axes_is_that_of_a_picture(rng):
    u = rng.standard_normal((3, 4, 5))
    values = [
        TotalVariation(axes=(-2, -1))({"fit": {"W": u}}),
        TotalVariation(picture=(4, 5))({"fit": {"W": u.reshape(3, 20)}}),
    ]
    assert_allclose(*values, rtol=1e-14)


@pytest.mark.parametrize(("n", "rows"), [(5, 1), (3, 4)])
def test_the_laplacian_of_the_course_has_one_size(n, rows):
    """The slide's listing mixes n and N: with N ≠ n its Kronecker sum does not even fit.

    L = I_rows ⊗ L_n + L_rows ⊗ I_n acts on rows · n pixels.
    """
    of_row, of_column = five_point(1, n), five_point(1, rows)
    expected = np.kron(np.eye(rows), of_row) + np.kron(of_column, np.eye(n))
    L = Tikhonov(operator="laplacian", picture=(rows, n)).row_operator("fit", "W", rows * n)
    assert L.shape == (rows * n, rows * n)
    assert_array_equal(L.toarray(), expected)


def test_axes_that_do_not_fit():
    with pytest.raises(InputError, match="axes are those of"):
        Tikhonov(axes=(-1,))
    penalty = Tikhonov(operator="laplacian", axes=(-3,), controls=("W",))
    for term in (penalty, TotalVariation(axes=(-3,), controls=("W",))):
        with pytest.raises(InputError, match=r"'fit/W' has the shape \(2, 3\) and no axis -3"):
            term.for_phases((Phase("fit", Linear((3,), 2)),))
    with pytest.raises(InputError, match="leave one of them out"):
        TotalVariation(axes=(-1,), picture=(2, 2))


def test_axes_of_total_variation_in_a_case():
    """Stencils of an opening; the picture of the data does not come into it."""
    term = "objective.penalty=[{kind='total_variation',weight=1e-3,controls=['opening/K'],axes=%s}]"
    case = "cases/05_convolution/parabolic_digits.toml"
    problem = occore.load_case(case, settings=[term % "[-4,-3]"]).build().problem
    assert problem.penalties[0][1].axes == (-4, -3)
    for wrong, match in (("[]", "at least 1 item"), ("[0]", "less than 0")):
        with pytest.raises(InputError, match=match):
            occore.load_case(case, settings=[term % wrong]).build()
