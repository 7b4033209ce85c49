"""Features become pictures: square, as the data say, or by an option."""

import numpy as np
import pytest

from occore import Data, InputError
from occore_convolution.picture import Picture


def data(picture):
    return Data(np.zeros((1, 12)), picture=picture)


def test_shapes():
    assert Picture((784,)).output_shape == (28, 28, 1)
    assert Picture((12,), channels=3).output_shape == (2, 2, 3)
    assert Picture((12,), height=3).output_shape == (3, 4, 1)
    assert Picture((12,)).for_data(data((2, 6))).output_shape == (2, 6, 1)
    assert Picture((12,), height=3).for_data(data((2, 6))).output_shape == (3, 4, 1)


def test_rows_of_pixels_follow_each_other():
    x = np.arange(12.0).reshape(1, 12)
    np.testing.assert_array_equal(Picture((12,), height=3)(0.0, x, {})[0, 1, :, 0], [4, 5, 6, 7])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Picture((12,)).output_shape, "12 features do not fill a square"),
        (lambda: Picture((12,), height=5).output_shape, "do not fill 5 rows"),
        (lambda: Picture((12,), channels=5).output_shape, "in 5 channels"),
        (lambda: Picture((3, 4)), "leave this phase out"),
        (lambda: Picture((16,)).for_data(data((3, 4))), "are not the 16 features"),
    ],
)
def test_features_that_make_no_picture(make, message):
    with pytest.raises(InputError, match=message):
        make()
