"""The Hessian in the end states, by columns: that of softmax, written out."""

import numpy as np

from occore import Data, Phase, Problem
from occore_classification.end_hessian import end_hessian_columns, end_hessian_product
from occore_classification.softmax_cross_entropy import SoftmaxCrossEntropy
from occore_least_squares.linear import Linear


def test_columns_of_softmax(rng):
    data = Data(rng.standard_normal((5, 2)), np.eye(3)[[0, 1, 2, 2, 0]])
    objective = SoftmaxCrossEntropy("sum") + 0.5 * SoftmaxCrossEntropy("sum")
    at = Problem((Phase("fit", Linear((2,), 3)),), objective, data).at(rng.standard_normal(9))
    p = np.exp(at.output) / np.sum(np.exp(at.output), axis=1, keepdims=True)
    H = 1.5 * (p[:, :, None] * np.eye(3) - p[:, :, None] * p[:, None, :])
    columns = list(end_hessian_columns(at))
    np.testing.assert_allclose(np.stack(columns, axis=2), H, atol=1e-14)
    dx = rng.standard_normal((5, 3))
    product = np.einsum("ijk,ik->ij", H, dx)
    np.testing.assert_allclose(end_hessian_product(at, dx), product, atol=1e-14)
