"""Observers: what is measured along a run beside its history.

An observer looks at a problem and its controls every so many iterations; what it measures is kept
in the run file, one array for each quantity with an axis of iterations.
"""

from __future__ import annotations

from abc import abstractmethod

from occore.arrays import Array
from occore.interface import Interface
from occore.problem import Problem


class Observer(Interface):
    """Measures something of a problem at some controls; a frozen dataclass of options."""

    @abstractmethod
    def observe(self, problem: Problem, theta: Array, iteration: int) -> dict[str, Array]:
        """What is measured at θ, as arrays or numbers by name, `group/name` for a name in a group.

        Names and shapes are the same at every call. It depends on its arguments alone and changes
        none of them, so that a run that is resumed observes what it would have observed. Sweeps
        over the problem are not counted as work.
        """
