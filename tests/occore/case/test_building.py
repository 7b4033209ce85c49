"""Building: what the parts of a case are told of each other and of the data."""

import pytest

from occore.case import load_case
from occore.case.complaints import CaseError
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
