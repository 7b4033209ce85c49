"""The conformance suite on all bundled plugins, its choice of plugins, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from occore.checks import CheckFailed
from occore.errors import PluginError
from occore.registry import Entry
from occore.testing.conformance import CHECKS, chosen, conform, example_of
from occore.testing.test_conformance import (  # noqa: F401 - collected here, and so run
    test_conformance,
    test_every_plugin_is_sound,
    test_example_is_given,
)

PLUGIN = Path("docs/examples/polynomial.py")


@dataclass(frozen=True)
class Bare:
    """Registered without an example."""


def test_all_families_but_the_reserved_one_have_checks():
    assert {family for family, checks in CHECKS.items() if not checks} == {"constraint"}


def test_checks_have_names_and_words():
    for checks in CHECKS.values():
        names = [check.__name__ for check in checks]
        assert len(set(names)) == len(names)
        assert all(check.__doc__ for check in checks)


def test_a_plugin_is_chosen_by_its_name():
    entries, _ = chosen("classification", Path.cwd())
    assert {entry.plugin for entry in entries} == {"classification"}


def test_a_plugin_is_chosen_by_its_file():
    entries, _ = chosen(str(PLUGIN), Path.cwd())
    assert [entry.name for entry in entries] == ["polynomial"]


def test_an_unknown_plugin_is_an_error():
    with pytest.raises(PluginError, match="Did you mean 'continuous'"):
        chosen("continous", Path.cwd())


def test_a_thing_without_example_is_told_how_to_write_one():
    with pytest.raises(CheckFailed, match=r"Bare has no example\(\): add a classmethod"):
        example_of(Entry("dynamics", "bare", Bare, "nobody"))


def test_failures_come_with_numbers(host):
    example = host.registry["dynamics", "linear"].example()
    failures = conform("dynamics", replace(example, value=[[15.0, 30.0]]))
    assert failures[0].startswith("value: Linear: f at the example: relative error 0.0298")


@pytest.mark.parametrize("family", CHECKS)
def test_checks_are_documented(family):
    text = Path("docs/testing.md").read_text()
    for check in CHECKS[family]:
        name = check.__name__.removeprefix("step_").removeprefix("solve_").removeprefix("running_")
        assert f"`{name}`" in text, check.__name__
