"""Problems of linear classification, and a loop around an optimizer."""

import numpy as np
import pytest

from occore import Data, Phase, Problem
from occore_classification.logistic import Logistic
from occore_classification.softmax_cross_entropy import SoftmaxCrossEntropy
from occore_least_squares.linear import Linear
from occore_least_squares.tikhonov import Tikhonov


def bundled(name):
    """Standardised inputs, one-hot targets and labels of a data set of scikit-learn."""
    load = getattr(pytest.importorskip("sklearn.datasets"), f"load_{name}")
    X, y = load(return_X_y=True)
    spread = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1), np.eye(y.max() + 1)[y], y


def softmax_problem(X, targets, weight=0.0, bias=True, reduction="mean", controls=("W",)):
    """Softmax of a linear layer, with a ridge penalty on the weights where there is a weight."""
    objective = SoftmaxCrossEntropy(reduction)
    if weight:
        objective = objective + weight * Tikhonov(controls=controls)
    layer = Linear((X.shape[1],), targets.shape[1], bias=bias)
    return Problem((Phase("fit", layer),), objective, Data(X, targets))


def logistic_problem(X, labels, weight=0.0, reduction="mean", bias=True):
    """Logistic regression with one output."""
    objective = Logistic(reduction)
    if weight:
        objective = objective + weight * Tikhonov(controls=("W",))
    layer = Linear((X.shape[1],), 1, bias=bias)
    data = Data(X, np.reshape(labels, (-1, 1)).astype(float))
    return Problem((Phase("fit", layer),), objective, data)


def solve(optimizer, problem, theta=None):
    """(θ, state, status) at the end."""
    theta = np.zeros(problem.size) if theta is None else theta
    state = optimizer.init(problem, theta)
    while (status := optimizer.finished(problem, theta, state)) is None:
        theta, state = optimizer.step(problem, theta, state)
    return theta, state, status
