"""Numba on generated source, with the compiled code kept on disk."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

from occore.errors import require
from occore.symbolic import cache
from occore.symbolic.source import execute


@functools.cache
def can_compile() -> bool:
    """Whether Numba is installed, which is not imported to find out."""
    return importlib.util.find_spec("numba") is not None


def compile_source(source: str, kind: str, names: dict[str, Any]) -> dict[str, Any]:
    """The namespace that the source leaves; its functions marked `@njit` are compiled when called.

    They release the GIL and are kept in the cache folder where there is one. Whatever the numbers
    depend on must be in the text, or Numba would find the code of another text with the same name.
    """
    numba = require("numba", extra="fast", purpose="to compile kernels")
    digest = hashlib.sha256(source.encode()).hexdigest()[:32]
    # Numba keeps compiled code beside a file; the text that runs is still the one in memory
    path = cache.write(f"{kind}_{digest}.py", source)

    def njit(function: Callable[..., Any]) -> Any:
        # Compiled code finds its callees by module, name and a number that starts anew in every
        # process: code that two processes have compiled would call each other's functions.
        function.__qualname__ = f"{function.__name__}_{digest}"
        return numba.njit(nogil=True, error_model="numpy", cache=path is not None)(function)

    given = {"np": np, "njit": njit, "single": np.float32, **names}
    return execute(source, given, str(path or f"<occore {kind}>"))
