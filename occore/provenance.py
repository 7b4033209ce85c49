"""Where a run's numbers come from: versions, machine, threads, data."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from typing import Any

LIBRARIES = ("numpy", "scipy", "h5py", "pluggy", "pydantic")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def provenance(plugins: dict[str, str], digest: str) -> dict[str, Any]:
    """Versions of Python, libraries and plugins; machine, threads, and digest of the data.

    plugins: distribution and version of each plugin, by name.
    """
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count() or 1,
        "byte_order": sys.byteorder,
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
        "plugins": {name.replace("/", "_"): version for name, version in plugins.items()},
        "threads": {name: os.environ.get(name, "not set") for name in THREADS},
        "data_digest": digest,
    }
