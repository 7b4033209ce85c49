"""What it means to agree: to rounding, to a tolerance, or to the last bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from occore.arrays import Array
from occore.checks import CheckFailed

EXACT = 1e-12
"""Relative: the rounding of some hundred operations, with a factor ten to spare."""

Named = Mapping[str, Array]
"""Arrays by name; those that belong together share the part of the name before a space."""


def fail(message: str) -> None:
    """Raise CheckFailed."""
    raise CheckFailed(message)


def require(condition: Any, message: str) -> None:
    """Raise CheckFailed unless the condition holds."""
    if not condition:
        fail(message)


def close(what: str, found: Array, expected: Array, rtol: float, scale: float = 0.0) -> None:
    """‖found − expected‖ ≤ rtol max(‖expected‖, scale), and the same shape. NaN never agrees."""
    found, expected = np.asarray(found), np.asarray(expected)
    require(
        found.shape == expected.shape,
        f"{what}: shape {found.shape}, expected {expected.shape}",
    )
    error = float(np.linalg.norm(np.ravel(found - expected)))
    size = max(float(np.linalg.norm(np.ravel(expected))), scale) + np.finfo(float).tiny
    require(
        error <= rtol * size,
        f"{what}: relative error {error / size:.3g}, not ≤ {rtol:.0e}",
    )


def agree(what: str, found: Named, expected: Named, rtol: float) -> None:
    """Each array close to the one of its name, relative to all arrays of its product."""
    require(
        found.keys() == expected.keys(),
        f"{what}: got {sorted(found)}, expected {sorted(expected)}",
    )
    for name, value in expected.items():
        group = [a for other, a in expected.items() if other.split()[0] == name.split()[0]]
        scale = float(np.sqrt(sum(np.linalg.norm(np.ravel(a)) ** 2 for a in group)))
        close(f"{what}: {name}", found[name], value, rtol, scale)


def identical(what: str, found: Named, expected: Named) -> None:
    """Each array equal to the last bit to the one of its name, with its type."""
    require(
        found.keys() == expected.keys(),
        f"{what}: got {sorted(found)}, expected {sorted(expected)}",
    )
    for name, value in expected.items():
        a, b = np.asarray(found[name]), np.asarray(value)
        same = a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        error = _relative(a, b) if a.shape == b.shape and a.dtype.kind in "fc" else np.nan
        require(
            same,
            f"{what}: {name} differs by {error:.3g} ({a.dtype} {a.shape}), "
            f"not equal to the last bit ({b.dtype} {b.shape})",
        )


def _relative(a: Array, b: Array) -> float:
    size = float(np.linalg.norm(np.ravel(b))) + np.finfo(float).tiny
    with np.errstate(invalid="ignore"):  # infinities, of which the bits are compared
        return float(np.linalg.norm(np.ravel(a - b))) / size
