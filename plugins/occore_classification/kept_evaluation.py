"""The evaluation of the present iterate, kept with its problem, so that none is made twice.

A step that accepts θ has evaluated the chain there; the products of the next step start from the
same linearizations. They are no part of a state, which holds arrays only: a resumed run makes them
anew, and does not count that as work, so that its counts are those of the run that was never
stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, Protocol, TypeVar

import numpy as np

from occore import Array

KEY = "_kept_evaluation"


class Evaluated(Protocol):
    """A function at one point."""

    @property
    def value(self) -> float:
        """Its value."""
        ...

    def gradient(self) -> Array:
        """Its gradient there."""
        ...


E_co = TypeVar("E_co", bound=Evaluated, covariant=True)
E = TypeVar("E", bound=Evaluated)


class Function(Protocol[E_co]):
    """A function of a vector that can be evaluated: a problem, or what is made of one."""

    @property
    def dtype(self) -> np.dtype:
        """The precision of its computation."""
        ...

    @property
    def counts(self) -> Any:
        """The counts of the sweeps of its evaluations."""
        ...

    def at(self, theta: Array) -> E_co:
        """Value and derivatives at θ."""
        ...


def keep(function: Function[Any], theta: Array, evaluation: Evaluated) -> None:
    """Keep what `function.at(theta)` gave, in place of what was kept before."""
    function.__dict__[KEY] = theta.copy(), evaluation


def evaluation_of(function: Function[E], theta: Array) -> E:
    """The evaluation at an iterate that an optimizer has been at; bit for bit the one it made."""
    return kept(function, theta, function.at)


def kept(function: Function[Any], theta: Array, make: Callable[[Array], E]) -> E:
    """The same, of another kind of evaluation, such as `make(theta)` gives."""
    found = function.__dict__.get(KEY)
    if found is None or not np.array_equal(found[0], theta):
        before = replace(function.counts)
        keep(function, theta, make(theta))
        for name, value in asdict(before).items():
            setattr(function.counts, name, value)
    return function.__dict__[KEY][1]
