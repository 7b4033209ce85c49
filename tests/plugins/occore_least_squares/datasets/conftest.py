"""What the tests of data sets share: loading from the test's own folder."""

import numpy as np
import pytest


@pytest.fixture
def load(tmp_path):
    """Load a data set whose files lie in tmp_path."""

    def load(dataset, seed=0):
        return dataset.load((tmp_path,), np.random.default_rng(seed))

    return load


@pytest.fixture
def write(tmp_path):
    """Write bytes or text to a file in tmp_path, as they are; the path."""

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
