"""Where generated source becomes functions. Only text that occore has just printed comes here."""

from __future__ import annotations

import math
from typing import Any

CONSTANTS = {"inf": math.inf, "nan": math.nan}


def execute(
    source: str, names: dict[str, Any], filename: str = "<occore kernel>"
) -> dict[str, Any]:
    """The namespace that the source leaves, given these names."""
    namespace = {"__name__": __name__, **CONSTANTS, **names}
    # the text is printed from a checked tape: numbers and operations, no name from outside
    exec(compile(source, filename, "exec"), namespace)  # noqa: S102
    return namespace
