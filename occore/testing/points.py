"""Random points near an example, and random directions.

Points keep to the neighbourhood of the example, since a model may be defined there only: an entry
that is not zero moves by at most half of itself and keeps its sign, a zero by at most one half.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from occore.arrays import Array, Controls

Generator = np.random.Generator


def near(value: Any, rng: Generator) -> Array:
    """A random array near this one."""
    value = np.asarray(value, float)
    return value + rng.uniform(-0.5, 0.5, value.shape) * np.where(value == 0, 1.0, np.abs(value))


def near_samples(x: Any, samples: int, rng: Generator) -> Array:
    """(samples, *state_shape): each sample near one of the example."""
    x = np.asarray(x, float)
    return near(x[np.arange(samples) % len(x)], rng)


def near_controls(u: Any, rng: Generator) -> Controls:
    """Controls near these."""
    return {name: near(value, rng) for name, value in u.items()}


def arrays(named: Any) -> Controls:
    """Named float arrays of an example; none where it gives none."""
    return {name: np.asarray(value, float) for name, value in (named or {}).items()}


def like(value: Any, rng: Generator) -> Any:
    """Standard normal numbers of the shape and type of an array, or of each named array."""
    if isinstance(value, dict):
        return {name: like(a, rng) for name, a in value.items()}
    return np.asarray(rng.standard_normal(np.shape(value)), np.asarray(value).dtype)


def moved(value: Any, step: Any, direction: Any) -> Any:
    """value + step · direction, also of named arrays."""
    if isinstance(value, dict):
        return {name: moved(a, step, direction[name]) for name, a in value.items()}
    return value + step * direction


def cast(value: Any, dtype: Any) -> Any:
    """The same numbers in another type."""
    if isinstance(value, dict):
        return {name: cast(a, dtype) for name, a in value.items()}
    return np.asarray(value, dtype)


def copied(value: Any) -> Any:
    """A copy of an array or of named arrays."""
    if isinstance(value, dict):
        return {name: copied(a) for name, a in value.items()}
    return np.array(value)
