"""Fixtures that every test may use."""

import numpy as np
import pytest

from occore.plugins import Host, load_host


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers that are the same in every run."""
    return np.random.default_rng(20261124)


@pytest.fixture(scope="session")
def host() -> Host:
    """The host with every installed plugin."""
    return load_host()
