"""The sets that come with scikit-learn, against scikit-learn itself."""

import sys

import numpy as np
import pytest

from occore import DataError, MissingExtra
from occore_least_squares.datasets.breast_cancer import BreastCancer
from occore_least_squares.datasets.diabetes import Diabetes
from occore_least_squares.datasets.digits import Digits
from occore_least_squares.datasets.iris import Iris
from occore_least_squares.datasets.wine import Wine

source = pytest.importorskip("sklearn.datasets")


@pytest.mark.parametrize(
    ("dataset", "loader", "scale"),
    [
        (BreastCancer(), source.load_breast_cancer, 1),
        (Digits(), source.load_digits, 1 / 16),
        (Iris(), source.load_iris, 1),
        (Wine(), source.load_wine, 1),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_classification(load, dataset, loader, scale):
    bunch, data = loader(), load(dataset)
    assert np.array_equal(data.inputs, bunch.data * scale)
    assert np.array_equal(data.targets.argmax(axis=1), bunch.target)
    assert data.classes == tuple(str(name) for name in bunch.target_names)
    assert data.features == tuple(bunch.feature_names)


def test_first_rows(load):
    # Fisher's first flower, the first digit (a zero), the first patients
    assert load(Iris()).inputs[0].tolist() == [5.1, 3.5, 1.4, 0.2]
    digits = load(Digits())
    assert (16 * digits.inputs[0, :8]).tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert digits.targets[0].argmax() == 0 and digits.inputs.max() == 1
    assert load(Diabetes()).targets[:3].tolist() == [[151], [75], [141]]
    assert load(Wine()).inputs[0, :2].tolist() == [14.23, 1.71]
    assert load(BreastCancer()).inputs[0, :2].tolist() == [17.99, 10.38]


def test_diabetes(load):
    data = load(Diabetes())
    assert np.array_equal(data.inputs, source.load_diabetes().data)
    assert np.allclose((data.inputs**2).sum(axis=0), 1, rtol=1e-12)
    assert data.classes is None and data.features is not None and data.features[2] == "bmi"


def test_some_classes_in_the_order_given(load):
    data = load(Digits(classes=("8", "3")))
    labels = source.load_digits().target
    assert data.classes == ("8", "3")
    assert data.samples == np.isin(labels, (3, 8)).sum()
    assert np.array_equal(data.targets[:, 1], labels[np.isin(labels, (3, 8))] == 3)
    assert data.digest == load(Digits()).digest


def test_images(load):
    data = load(Digits(flatten=False))
    assert np.array_equal(data.inputs, source.load_digits().images / 16)
    assert data.features is None


def test_unknown_class(load):
    with pytest.raises(DataError, match=r"no class 'setos'\. Did you mean 'setosa'"):
        load(Iris(classes=("setos", "virginica")))
    with pytest.raises(DataError, match="'setosa' is named 2 times"):
        load(Iris(classes=("setosa", "setosa")))


def test_missing_extra(load, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingExtra, match=r"to load the iris data set.*occore\[data\]"):
        load(Iris())
