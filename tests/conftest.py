"""Fixtures that every test may use; BLAS with one thread, in processes that tests start as well.

Each of several test processes with a BLAS thread for each core has them wait for one another: on
two busy cores a factorisation of 1,000 columns takes twenty times the processor time.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when NumPy is imported

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
