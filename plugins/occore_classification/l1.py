"""ℓ1 penalty: the sum of moduli, which makes controls exactly zero.

    R(u) = Σ_controls ‖u‖₁,    prox_{sR}(v) = sign(v) max(|v| − s, 0)

The proximal map is the u that minimises s R(u) + ½‖u − v‖²: soft thresholding, entry by entry.
Parikh and Boyd, Proximal Algorithms (2014), section 6.5.2. R has kinks where an entry is zero;
there `linearize` gives the subgradient of least norm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from occore import (
    Array,
    ControlObjective,
    Example,
    ObjectiveLinearization,
    Phase,
    PhaseControls,
    array_namespace,
)
from occore_least_squares.penalised import Chosen, check_chosen, is_chosen


@dataclass(frozen=True)
class L1(ControlObjective):
    """‖u‖₁ over the named controls; for `proximal_gradient` and `fista`."""

    smooth: ClassVar[bool] = False

    controls: Chosen = None

    def for_phases(self, phases: Sequence[Phase]) -> L1:
        """The term itself. Raises InputError for a control that no phase has."""
        check_chosen(self.controls, phases, lambda path, shape: None)
        return self

    def __call__(self, controls: PhaseControls) -> Array:
        """R."""
        return sum(
            array_namespace(u).sum(array_namespace(u).abs(u))
            for named in self._penalised(controls).values()
            for u in named.values()
        )

    def linearize(self, controls: PhaseControls) -> tuple[Array, ObjectiveLinearization]:
        """R, the signs of the entries, and a Hessian that is zero."""
        return self(controls), L1Linearization(self._penalised(controls))

    def proximal(self, v: PhaseControls, s: float) -> PhaseControls:
        """Soft thresholding of the named controls by s; the others as they are."""
        penalised = self._penalised(v)
        return {
            phase: {
                name: soft_threshold(u, s) if name in penalised[phase] else u
                for name, u in named.items()
            }
            for phase, named in v.items()
        }

    def _penalised(self, controls: PhaseControls) -> PhaseControls:
        return {
            phase: {name: u for name, u in named.items() if is_chosen(self.controls, phase, name)}
            for phase, named in controls.items()
        }

    @classmethod
    def example(cls) -> Example:
        """|2| + |−3| + |1.5|, by hand."""
        return Example(
            cls(controls=("W",)),
            u={"fit": {"W": [[2.0, -3.0, 1.5]], "b": [7.0, 9.0]}},
            value=6.5,
        )


def soft_threshold(v: Array, s: float) -> Array:
    """sign(v) max(|v| − s, 0)."""
    xp = array_namespace(v)
    size = xp.abs(v) - s
    return xp.sign(v) * xp.where(size > 0, size, 0 * size)


@dataclass(frozen=True)
class L1Linearization(ObjectiveLinearization):
    """Subgradient sign(u); no curvature away from the kinks."""

    penalised: PhaseControls

    def gradient(self) -> PhaseControls:
        """sign(u)."""
        return {
            phase: {name: array_namespace(u).sign(u) for name, u in named.items()}
            for phase, named in self.penalised.items()
        }

    def hessian_product(self, d: PhaseControls) -> PhaseControls:
        """Zero."""
        return {
            phase: {name: 0 * d[phase][name] for name in named}
            for phase, named in self.penalised.items()
        }

    def gauss_newton_product(self, d: PhaseControls) -> PhaseControls:
        """Zero."""
        return self.hessian_product(d)
