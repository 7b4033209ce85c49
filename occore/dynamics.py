"""Dynamics: the right-hand side f(t, x, u) of a phase."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np

from occore.arrays import Array, Controls
from occore.data import Data
from occore.interface import Interface, overridable
from occore.layout import Layout
from occore.linearization import Linearization

StateShape = tuple[int, ...]


class Dynamics(Interface):
    """f(t, x, u): dx/dt of an integrated phase, or the output of a static phase (a layer).

    t is a number; x has shape (samples, *state_shape); u maps names to arrays. A subclass is a
    frozen dataclass whose fields are its options, and has `controls`, the `Layout` of u, as a
    field, a property or a class attribute.
    """

    controls: Layout
    """Names and shapes of u at one instant."""

    constants: frozenset[str] = frozenset()
    """Names of the controls that do not depend on time, such as design parameters."""

    autonomous: bool = False
    """Whether f is known not to depend on t."""

    quadratures: int = 0
    """Trailing entries of the state that only integrate a cost; error norms leave them out."""

    affine_in_controls: ClassVar[bool] = False
    """Whether f is affine in u for every fixed (t, x)."""

    couples_samples: ClassVar[bool] = False
    """Whether f of one sample depends on the others, as in batch normalisation.

    Such samples cannot be cut into shards; events and implicit steps, which take each sample on its
    own, exclude it. A dynamics that says so has `coupled_by_first`.
    """

    kinks: bool = False
    """Whether f, or its first derivative, has kinks, as relu, softsign and the largest entry have.

    Its derivatives are then checked by difference quotients, not by the slopes of a Taylor test.
    """

    @abstractmethod
    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """The value, of shape (samples, *output shape). Changes none of its arguments."""

    @abstractmethod
    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The value, and the derivative with respect to (x, u) at fixed t."""

    @classmethod
    @overridable
    def for_state(cls, state_shape: StateShape, **options: Any) -> Self:
        """The dynamics with these options for states of this shape.

        Called when a chain is built. Options describe a model without the sizes that follow from
        the data; the default passes `state_shape` to the field of that name, if there is one.
        """
        if "state_shape" in getattr(cls, "__dataclass_fields__", {}):
            options["state_shape"] = tuple(state_shape)
        return cls(**options)

    @overridable
    def for_data(self, data: Data) -> Dynamics:
        """The dynamics for these training data; called after `for_state` when a case is built.

        A model with an unknown for each sample, or with an operator that comes from the data, takes
        it from there. Raises InputError where the data are not of the sort that it needs.
        """
        return self

    @property
    @overridable
    def output_shape(self) -> StateShape | None:
        """Shape of one sample of the value; `None` stands for the shape of the state."""
        return None

    @overridable
    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """Where an optimizer starts, at one instant; zeros by default."""
        return self.controls.zeros()

    coupled_by_first: Callable[[int], Dynamics] | None = None
    """Owed where samples are coupled: f whose samples depend on the first so many of them alone.

    `coupled_by_first(n)` is f of these n samples on them, and takes each further sample, such as a
    held-out one, as if it came alone behind them. So `Problem.output` evaluates other inputs.
    """

    jacobian: Callable[[float, Array, Controls], Any] | None = None
    """Optional: f_x at (t, x, u), for implicit steps.

    A dense array (samples, n, n) with n the entries of a state, or one sparse block-diagonal matrix
    (samples · n, samples · n). Without it implicit steps assemble f_x from `jvp`.
    """

    spectrum: Callable[[Controls], tuple[float, float]] | None = None
    """Optional: bounds (ρ, ω) of the eigenvalues of f_x in any state, for controls at one instant.

    They lie on [−ρ, 0] where ω is zero, on i [−ω, ω] where ρ is. Runs compare steps with them.
    """

    linearize_in_time: Callable[[float, Array, Controls], tuple[Array, Linearization]] | None = None
    """Optional: `linearize` with t as one more control, under the name `occore.TIME`.

    Events need it of a dynamics that depends on t.
    """

    splitting: Callable[[], tuple[Dynamics, Dynamics]] | None = None
    """Optional: (explicit, implicit) with f = their sum, for IMEX steps; both have all controls."""

    linear_part: Callable[[], Array] | None = None
    """Optional: a constant matrix M (n, n) with f = M x + the rest, for exponential steps."""

    design: Callable[[float, Array], dict[str, Array]] | None = None
    """Optional, for a dynamics that is affine in its controls through matrices.

    `design(t, x)` gives a matrix M (samples, columns) for each control, such that
    f(t, x, u) == sum of M[name] @ u[name].reshape(outputs, columns).T over the names.
    """

    row_design: Callable[[float, Array], Any] | None = None
    """Optional, for a dynamics with one control (…, columns) that it maps linearly, row by row.

    `row_design(t, x)` is a sparse matrix M (samples · rows of a state, rows of the control) with
    f(t, x, u).reshape(-1, columns) == M @ u[name].reshape(-1, columns).
    """
