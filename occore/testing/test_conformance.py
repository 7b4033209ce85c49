"""`pytest --pyargs occore.testing`: the conformance suite on everything that is registered.

OCCORE_PLUGIN=my_plugin pytest --pyargs occore.testing        one installed plugin
OCCORE_PLUGIN=my_topic.py pytest --pyargs occore.testing      one file, as with --plugin
"""

import os
from pathlib import Path

import pytest

from occore.errors import MissingExtra
from occore.testing.conformance import CHECKS, chosen, example_of, random_numbers

ENTRIES, BROKEN = chosen(os.environ.get("OCCORE_PLUGIN", ""), Path.cwd())
CASES = [
    pytest.param(entry, check, id=f"{entry}-{check.__name__}")
    for entry in ENTRIES
    for check in CHECKS[entry.family]
]


def test_every_plugin_is_sound():
    """Plugins that could not be loaded or registered, each with its error."""
    if BROKEN:
        pytest.fail("; ".join(f"{plugin.name}: {plugin.error}" for plugin in BROKEN))


@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_example_is_given(entry):
    """What is registered brings a small instance with a reference number."""
    example_of(entry)


@pytest.mark.parametrize(("entry", "check"), CASES)
def test_conformance(entry, check):
    """One check on one thing; what needs a package that is not installed is skipped."""
    try:
        check(example_of(entry), random_numbers())
    except MissingExtra as error:
        pytest.skip(str(error))
