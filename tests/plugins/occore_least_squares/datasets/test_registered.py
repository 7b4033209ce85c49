"""What holds for every data set that is registered."""

import numpy as np
import pytest

from occore.case.options import options_model
from occore_least_squares import datasets


class Registrar(dict):
    def dataset(self, name, cls):
        self[name] = cls


registered = Registrar()
datasets.register(registered)


@pytest.fixture(params=registered.items(), ids=lambda item: item[0])
def entry(request):
    return request.param


def test_example(entry, load, write):
    name, cls = entry
    example = cls.example()
    for file, content in (example.files or {}).items():
        write(file, content)
    data = load(example.map)
    assert data.inputs.shape == example.value, name
    assert data.inputs.dtype == data.targets.dtype == np.float64
    assert data.targets.shape[0] == data.samples
    assert data.digest.startswith("sha256:") and len(data.digest) == 7 + 64
    if data.classes is not None:
        assert data.targets.shape == (data.samples, len(data.classes))
        assert np.array_equal(data.targets.sum(axis=1), np.ones(data.samples))
    if data.features is not None:
        assert len(data.features) == data.inputs.shape[1]
    again = load(example.map)
    assert data.digest == again.digest and np.array_equal(data.targets, again.targets)


def test_file_is_named_as_the_kind(entry):
    name, cls = entry
    assert cls.__module__ == f"{datasets.__name__}.{name}"


def test_every_option_is_described(entry):
    for name, field in options_model(entry[1]).model_fields.items():
        assert field.description, name
