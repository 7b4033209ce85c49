"""Objectives: what is minimised. Terminal, running and control terms, which add and scale.

    J(θ) = Σ_terms weight · term,    Φ(x_end; target), ∫ ℓ(t, x, u) dt or a control term R(θ)

Each term knows its value and, at one point, a gradient, a Hessian product and a Gauss–Newton
product; where it is half a sum of squares it hands out the residual.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from occore.arrays import Array, Controls
from occore.data import Data
from occore.interface import Interface, overridable
from occore.linearization import Linearization

if TYPE_CHECKING:
    from occore.phase import Phase

PhaseControls = dict[str, Controls]
"""Controls of each phase, by the names of the phases: what θ is to a control term."""


class ObjectiveLinearization(Interface):
    """Derivatives of a scalar term at one point.

    `Point` is an array for a terminal term, and `PhaseControls` for a control term, whose products
    may leave out the controls that they do not touch.
    """

    @abstractmethod
    def gradient(self) -> Any:
        """The gradient, like the point."""

    @abstractmethod
    def hessian_product(self, d: Any) -> Any:
        """Hessian times the direction d; both are like the point."""

    @abstractmethod
    def gauss_newton_product(self, d: Any) -> Any:
        """A positive semidefinite part of the Hessian times d; all of it for a convex term."""

    residual: Array
    """r of any shape, of a term whose class says `sum_of_squares`: its value is ½‖r‖²."""

    residual_jvp: Callable[[Any], Array] | None = None
    """Tangent of the residual, where there is one."""

    residual_vjp: Callable[[Array], Any] | None = None
    """Adjoint of the residual, where there is one."""


class Objective(Interface):
    """Any objective: a sum of weighted terms."""

    sum_of_squares: ClassVar[bool] = False
    """Whether the value is ½‖r‖² with a residual r that the linearization hands out."""

    affine_residual: ClassVar[bool] = False
    """Whether that residual is affine in the point."""

    @property
    @abstractmethod
    def terms(self) -> tuple[tuple[float, Objective], ...]:
        """(weight, term) pairs; each term is a terminal, a running or a control term."""

    @overridable
    def for_phases(self, phases: Sequence[Phase]) -> Objective:
        """The objective for this chain; called when a problem is built from a case.

        Raises InputError where an option names a state or a control that the chain does not have.
        """
        return self

    @overridable
    def for_data(self, data: Data) -> Objective:
        """The objective for these training data; called before `for_phases` when a case is built.

        Raises InputError where the data are not of the sort that it needs.
        """
        return self

    def __add__(self, other: Objective) -> Objective:
        return Total((*self.terms, *other.terms))

    def __rmul__(self, factor: float) -> Objective:
        return Total(tuple((factor * weight, term) for weight, term in self.terms))


@dataclass(frozen=True)
class Total(Objective):
    """Σ weight · term."""

    weighted: tuple[tuple[float, Objective], ...]

    @property
    def terms(self) -> tuple[tuple[float, Objective], ...]:
        """(weight, term) pairs."""
        return self.weighted


class TerminalObjective(Objective):
    """Φ(x; target) of the end states x (samples, *shape), summed over the samples."""

    @property
    def terms(self) -> tuple[tuple[float, Objective], ...]:
        """The objective itself, with weight one."""
        return ((1.0, self),)

    @abstractmethod
    def __call__(self, x: Array, target: Array) -> Array:
        """The value, a scalar."""

    @abstractmethod
    def linearize(self, x: Array, target: Array) -> tuple[Array, ObjectiveLinearization]:
        """The value, and the derivatives with respect to x."""

    @property
    @overridable
    def averages(self) -> bool:
        """Whether Φ is a mean over the samples; otherwise it is their sum."""
        return False

    residual_scale: Callable[[int], float] | None = None
    """Optional: s(samples), where the residual is s · (x − target)."""

    row_quadratic: Callable[[Array], tuple[Any, Array]] | None = None
    """Optional: `row_quadratic(target)` is (Q, C): a sparse symmetric matrix (m, m), a centre

    (m, columns), where Φ = ½ tr (X − C)ᵀ Q (X − C) of X = x.reshape(m, columns).
    """

    metrics: Callable[[Array, Data], dict[str, float | Array]] | None = None
    """Optional: what a person would look at, of end states and the data that they belong to.

    Finite numbers and arrays of them by name, such as an error rate and a confusion matrix.
    """

    encode_targets: Callable[[Data], Data] | None = None
    """Optional: the data with their targets as this objective takes them.

    Called with training and held-out data when a case is built, such as to turn two classes into
    one column of 0 and 1. Raises InputError where the targets are of another sort.
    """

    decide: Callable[[Array], Array] | None = None
    """Optional, for classification: the index of the class (samples,) that end states stand for."""


class ControlObjective(Objective):
    """R(θ): a term in the controls alone, such as a penalty."""

    @property
    def terms(self) -> tuple[tuple[float, Objective], ...]:
        """The objective itself, with weight one."""
        return ((1.0, self),)

    @abstractmethod
    def __call__(self, controls: PhaseControls) -> Array:
        """The value, a scalar."""

    @abstractmethod
    def linearize(self, controls: PhaseControls) -> tuple[Array, ObjectiveLinearization]:
        """The value, and the derivatives with respect to the controls."""

    smooth: ClassVar[bool] = True
    """Whether it has derivatives everywhere; a term with kinks has a `proximal` map instead."""

    proximal: Callable[[PhaseControls, float], PhaseControls] | None = None
    """Optional: `proximal(v, s)` is the u that minimises s R(u) + ½‖u − v‖²; like v."""

    row_operator: Callable[[str, str, int], Array | None] | None = None
    """Optional: `row_operator(phase, control, columns)` is M (rows, columns), maybe sparse, in

    R = Σ over the controls of ½‖u.reshape(-1, columns) Mᵀ‖², or None for a control without a term.
    """

    row_quadratic: Callable[[str, str, int], Any] | None = None
    """Optional: `row_quadratic(phase, control, rows)` is a sparse symmetric K (rows, rows) in

    R = Σ over the controls of ½ tr UᵀKU, U = u.reshape(rows, -1); or None for a control without a
    term.
    """


class RunningObjective(Objective):
    """ℓ(t, x, u), integrated over every integrated phase and summed over the samples.

    A map like a dynamics, whose value has the shape (samples,).
    """

    autonomous: bool = False
    """Whether ℓ is known not to depend on t."""

    linearize_in_time: Callable[[float, Array, Controls], tuple[Array, Linearization]] | None = None
    """Optional: as that of a dynamics."""

    @property
    def terms(self) -> tuple[tuple[float, Objective], ...]:
        """The objective itself, with weight one."""
        return ((1.0, self),)

    @abstractmethod
    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """The cost rate of each sample, (samples,)."""

    @abstractmethod
    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The cost rate, and its derivative with respect to (x, u)."""


class EndObjective(Objective):
    """Φ(x_start, x_end, θ): a term in both ends of the chain and in the controls.

    Such a term may use an unknown horizon, unknown start values or design parameters. Its point is
    the pair (end states, controls of each phase).
    """

    @property
    def terms(self) -> tuple[tuple[float, Objective], ...]:
        """The objective itself, with weight one."""
        return ((1.0, self),)

    @abstractmethod
    def __call__(self, inputs: Array, x: Array, controls: PhaseControls) -> Array:
        """The value, a scalar; inputs are the start states before unknown ones are filled in."""

    @abstractmethod
    def linearize(
        self, inputs: Array, x: Array, controls: PhaseControls
    ) -> tuple[Array, ObjectiveLinearization]:
        """The value, and the derivatives with respect to (x, controls)."""
