"""Building: what the parts of a case are told of each other and of the data."""

import pytest

from occore.case import load_case
from occore.case.complaints import CaseError
from occore.case.schema import case_schema
from occore.plugins import load_host

CASE = """\
title = "A value for each sample"
[data]
kind = "iris"
held_out = 0.2
[[phase]]
name = "fit"
dynamics = { kind = "each", smallest = 10 }
[objective]
kind = "least_squares"
[optimizer]
kind = "cgls"
"""


PLUGIN = '''\
from dataclasses import dataclass, replace

import numpy as np

import occore


@dataclass(frozen=True)
class Each(occore.Dynamics):
    """x_out = u, with an unknown row for each sample of the training data."""

    smallest: int
    samples: int = 0
    affine_in_controls = True

    @property
    def controls(self):
        return occore.Layout({"f": (self.samples, 3)})

    @property
    def output_shape(self):
        return (3,)

    def for_data(self, data):
        if data.samples < self.smallest:
            raise occore.InputError(f"{data.samples} samples are too few")
        return replace(self, samples=data.samples)

    def __call__(self, t, x, u):
        return u["f"]

    def linearize(self, t, x, u):
        return u["f"], occore.Products(
            jvp=lambda dx, du: du["f"], vjp=lambda py: (np.zeros_like(x), {"f": py})
        )


@occore.hookimpl
def occore_register(registry):
    registry.dynamics("each", Each)
'''


@pytest.fixture
def host(tmp_path):
    plugin = tmp_path / "each.py"
    plugin.write_text(PLUGIN)
    return load_host((plugin,))


def test_a_dynamics_is_told_of_the_training_data(tmp_path, host):
    path = tmp_path / "case.toml"
    path.write_text(CASE)
    built = load_case(path, host=host).build()
    assert built.problem.layout.shapes == {"fit/f": (120, 3)}


def test_what_a_dynamics_says_of_the_data_has_its_place(tmp_path, host):
    path = tmp_path / "case.toml"
    path.write_text(CASE.replace("smallest = 10", "smallest = 1000"))
    with pytest.raises(CaseError, match=r"case.toml:7: phase\[0\].dynamics: 120 samples are too"):
        load_case(path, host=host).build()


NOISY = '''\
from dataclasses import dataclass, replace

import occore


@dataclass(frozen=True)
class Doubled(occore.Dataset):
    """The samples of another data set, with inputs twice as large."""

    source: occore.Dataset

    def load(self, folders, rng):
        data = self.source.load(folders, rng)
        return replace(data, inputs=2 * data.inputs)


@occore.hookimpl
def occore_register(registry):
    registry.dataset("doubled", Doubled)
'''

NESTED = """\
title = "A data set within another"
[data]
kind = "doubled"
source = { kind = "iris" }
[[phase]]
name = "fit"
dynamics = { kind = "linear", width = 3 }
[objective]
kind = "least_squares"
[optimizer]
kind = "cgls"
"""


@pytest.fixture
def doubling(tmp_path):
    plugin = tmp_path / "doubled.py"
    plugin.write_text(NOISY)
    return load_host((plugin,))


def nested_case(tmp_path, host, text):
    path = tmp_path / "case.toml"
    path.write_text(text)
    return load_case(path, host=host)


def test_an_option_may_be_a_choice_itself(tmp_path, doubling):
    case = nested_case(tmp_path, doubling, NESTED)
    assert case.build().problem.data.inputs[0, 0] == 2 * 5.1
    assert case.resolved()["data"]["source"] == {"kind": "iris"}
    again = load_case(case.resolved(), host=doubling)
    assert again.build().problem.data.samples == 150


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('{ kind = "irsi" }', "data.source.kind: unknown dataset 'irsi'. Did you mean 'iris'?"),
        ('{ kind = "iris", clases = 1 }', "data.source.clases: "),
        ("{}", "data.source.kind: "),
        ("3", "data.source: "),
    ],
)
def test_a_wrong_choice_within_options_has_its_place(tmp_path, doubling, source, message):
    with pytest.raises(CaseError) as caught:
        nested_case(tmp_path, doubling, NESTED.replace('{ kind = "iris" }', source))
    assert f"case.toml:4: {message}" in str(caught.value)


def test_the_schema_knows_choices_within_options(doubling):
    branches = case_schema(doubling.registry)["properties"]["data"]["oneOf"]
    source = next(b for b in branches if "source" in b["properties"])["properties"]["source"]
    kinds = [branch["properties"]["kind"]["const"] for branch in source["oneOf"]]
    assert "iris" in kinds and "doubled" not in kinds


@pytest.mark.parametrize("key", ["held_out = 0.5", "standardize = true"])
def test_data_of_one_sample_are_not_divided(tmp_path, host, key):
    (tmp_path / "one.csv").write_text("a,b,c\n1,2,3\n")
    text = CASE.replace("held_out = 0.2", f'path = "one.csv"\ntarget = "c"\n{key}')
    text = text.replace('"iris"', '"csv"')
    with pytest.raises(CaseError, match=rf"case.toml:6: data.{key.split()[0]}: the data are one"):
        nested_case(tmp_path, host, text).build()
