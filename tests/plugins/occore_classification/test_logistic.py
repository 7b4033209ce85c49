"""Logistic loss: the softmax of two outputs, stable, with labels of several sorts."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore import Data, InputError
from occore_classification.logistic import Logistic, sigmoid
from occore_classification.softmax_cross_entropy import SoftmaxCrossEntropy


def test_it_is_the_softmax_of_zero_and_x(rng):
    x, label = rng.standard_normal((9, 1)), rng.integers(2, size=9)
    value, part = Logistic().linearize(x, label[:, None].astype(float))
    both = np.concatenate([0 * x, x], axis=1)
    other, softmax = SoftmaxCrossEntropy().linearize(both, np.eye(2)[label])
    d = rng.standard_normal((9, 1))
    assert_allclose(value, other, rtol=1e-14)
    assert_allclose(part.gradient(), softmax.gradient()[:, 1:], rtol=1e-13)
    product = softmax.hessian_product(np.concatenate([0 * d, d], axis=1))
    assert_allclose(part.hessian_product(d), product[:, 1:], rtol=1e-13)


@pytest.mark.parametrize("x", [0.0, 40.0, 800.0, 1e300])
def test_it_is_accurate_for_large_outputs(x):
    value = Logistic()(np.array([[x], [-x]]), np.array([[1.0], [0.0]]))
    assert_allclose(value, np.log1p(np.exp(-x)), rtol=1e-15)
    assert Logistic()(np.array([[x]]), np.array([[0.0]])) == pytest.approx(x or np.log(2))
    assert_allclose(
        sigmoid(np.array([x, -x])), [1 / (1 + np.exp(-x)), np.exp(-x) / (1 + np.exp(-x))]
    )


def test_two_classes_become_one_column():
    data = Data(np.zeros((3, 1)), np.eye(2)[[0, 1, 1]], ("no", "yes"))
    encoded = Logistic().encode_targets(data)
    assert encoded.targets.tolist() == [[0.0], [1.0], [1.0]]
    assert encoded.classes == ("no", "yes")
    metrics = Logistic().metrics(np.array([[-1.0], [1.0], [-1.0]]), encoded)
    assert metrics["confusion_matrix"].tolist() == [[1, 0], [1, 1]]
    assert metrics["error_rate"] == pytest.approx(1 / 3)


def test_labels_in_a_column_get_names():
    encoded = Logistic().encode_targets(Data(np.zeros((2, 1)), np.array([[0.0], [1.0]])))
    assert encoded.classes == ("0", "1")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (Data(np.zeros((3, 1)), np.eye(3), ("a", "b", "c")), "softmax_cross_entropy"),
        (Data(np.zeros((2, 1)), np.array([[1.0], [2.0]])), r"outside \[0, 1\]"),
    ],
)
def test_other_targets_are_refused(data, message):
    with pytest.raises(InputError, match=message):
        Logistic().encode_targets(data)
