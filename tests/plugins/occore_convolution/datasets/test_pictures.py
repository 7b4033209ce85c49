"""Resampled pictures and shapes, by hand."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore import Data, DataError, Dataset, Example, InputError
from occore_convolution.datasets.resampled import Resampled, shares
from occore_convolution.datasets.shapes import Shapes
from occore_least_squares.datasets.digits import Digits
from occore_least_squares.datasets.iris import Iris


def equal_shares(pixels, side):
    return shares(np.arange(side + 1) * (pixels / side), pixels)


def test_three_pixels_as_two():
    """Each takes one pixel and half of the middle one; two as three takes them back to front."""
    assert_allclose(equal_shares(3, 2), np.array([[2, 1, 0], [0, 1, 2]]) / 3)
    assert_allclose(equal_shares(2, 3), [[1, 0], [0.5, 0.5], [0, 1]])


@pytest.mark.parametrize(("pixels", "side"), [(28, 16), (8, 16), (20, 7)])
def test_the_mean_is_kept(pixels, side):
    R = equal_shares(pixels, side)
    assert_allclose(R.sum(axis=1), 1, rtol=1e-14)
    assert_allclose(R.sum(axis=0), side / pixels, rtol=1e-13)


@dataclass(frozen=True)
class Strokes(Dataset):
    """Pictures of 5 × 6 pixels: a stroke of 4 × 1 at the right, one of 2 × 4 in a corner, none."""

    def load(self, folders, rng):
        X = np.zeros((3, 5, 6))
        X[0, 1:5, 5] = [1, 2, 3, 4]
        X[1, :2, :4] = [[1, 2, 3, 4], [5, 6, 7, 8]]
        return Data(X.reshape(3, 30), np.zeros((3, 1)), picture=(5, 6))

    @classmethod
    def example(cls):
        return Example(cls(), value=(3, 30))


def test_ink_that_fills_the_side():
    """Squares of 4 × 4 around the ink, by hand; the first reaches beyond the picture."""
    data = Resampled(Strokes(), side=2, fit=True).load((), np.random.default_rng())
    stroke, corner, blank = data.inputs.reshape(3, 2, 2)
    # its columns end in the middle of the stroke: half of (1 + 2), (3 + 4) over 2 × 2 pixels
    assert_allclose(stroke, [[3 / 8, 3 / 8], [7 / 8, 7 / 8]])
    # one empty row above, one below
    assert_allclose(corner, [[3 / 4, 7 / 4], [11 / 4, 15 / 4]])
    assert not blank.any()


def test_ink_fits_along_its_longer_side(rng):
    """Wherever they were: of 10 × 10 pixels for 8 × 8, ink reaches the rim, but not beyond."""
    digits = Digits().load((), rng)
    data = Resampled(Digits(), side=10, fit=True).load((), rng)
    ink = data.inputs.reshape(-1, 10, 10) > 0
    filled = [ink.any(axis=axis)[:, [0, -1]].all(axis=1) for axis in (1, 2)]
    assert np.logical_or(*filled).all()
    fits = digits.inputs.reshape(-1, 8, 8).any(axis=2).all(axis=1)
    assert fits.any()
    whole = Resampled(Digits(), side=10).load((), rng).inputs
    assert_allclose(data.inputs[fits].sum(axis=1), whole[fits].sum(axis=1), rtol=1e-12)


def test_a_picture_in_its_field(rng):
    """Means of 2 × 2 pixels from low to high, and `low` around them."""
    digits = Digits().load((), rng)
    data = Resampled(Digits(), side=4, field=7, low=-1.0, high=1.0).load((), rng)
    picture = data.inputs[5].reshape(7, 7)
    expected = digits.inputs[5].reshape(4, 2, 4, 2).mean(axis=(1, 3))
    assert data.picture == (7, 7)
    assert_allclose(picture[1:5, 1:5], 2 * expected - 1, atol=1e-14)
    assert_allclose(np.delete(np.delete(picture, [1, 2, 3, 4], 0), [1, 2, 3, 4], 1), -1)
    assert picture.min() == -1.0
    assert np.array_equal(data.targets, digits.targets)


def test_what_is_no_picture_is_refused(rng):
    source: Dataset = Iris()
    with pytest.raises(DataError, match=r"inputs have the shape \(150, 4\)"):
        Resampled(source).load((), rng)


def test_a_field_that_is_too_small_is_refused():
    with pytest.raises(InputError, match="a field of 8 pixels is smaller than the side 16"):
        Resampled(Digits(), field=8)


def test_shapes_without_noise(rng):
    """Shapes are bright, the background is not; a square's rows are as long as it is high."""
    data = Shapes(samples=40, noise=0.0).load((), rng)
    brightness, label = data.inputs[..., 0], data.targets.argmax(axis=-1)
    assert brightness[label > 0].min() >= 0.8
    assert abs(brightness[label == 0]).max() <= 0.25
    assert set(np.unique(label)) == {0, 1, 2}
    share = data.targets.mean(axis=(0, 1, 2))
    assert 0.6 < share[0] < 0.9
    assert share[1] < share[2] * 1.3  # a disc has π/4 of its square, and as many are drawn


def test_a_disc_is_round(rng):
    """The pixels of a picture with one disc: their number is that of its extent, to the outline."""
    pictures = Shapes(samples=200, noise=0.0).load((), rng).targets.argmax(axis=-1)
    ratios = {1: [], 2: []}
    for label in pictures:
        for kind in (1, 2):
            rows, columns = np.nonzero(label == kind)
            extent = {np.ptp(rows), np.ptp(columns)} if rows.size else set()
            if set(np.unique(label)) == {0, kind} and len(extent) == 1:
                ratios[kind].append(rows.size / (extent.pop() + 1) ** 2)
    assert abs(np.median(ratios[1]) - math.pi / 4) < 0.08
    assert np.median(ratios[2]) == 1.0


def test_another_seed_draws_other_pictures():
    one, other = (Shapes(samples=2).load((), np.random.default_rng(k)) for k in range(2))
    assert isinstance(one, Data)
    assert one.digest != other.digest
