import numpy as np
import pytest


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    """A cache of each test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("OCCORE_CACHE", str(folder))
    return folder


@pytest.fixture
def rng():
    return np.random.default_rng(7)
