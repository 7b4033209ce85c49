"""Loss picture: the objective on a plane through θ, spanned by two random directions.

    J(θ + α d₁ + β d₂),    −r ≤ α, β ≤ r,    d₁, d₂ orthonormal, of random orientation

symbol   code         shape              meaning
α, β     steps        (points,)          both axes have the same steps
J        loss         (points, points)   at (β, α): rows are β
d₁, d₂   directions   (2, size)          from the QR factorisation of two Gaussian vectors
r        radius                          a length in the space of θ

The directions are normalised as a whole, not filter by filter: lengths are those of θ, so the
picture of one network can be compared with that of another only in units of ‖θ‖. Near a minimiser a
random direction meets all eigenvalues of the Hessian alike: what the picture shows is mostly their
mean, and a few sharp directions do not show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from occore import Array, InputError, Problem, norm


@dataclass(frozen=True)
class LossPicture:
    """J on a lattice of the plane; see the head of the module."""

    steps: Array
    loss: Array
    directions: Array


def loss_picture(
    problem: Problem,
    theta: Array,
    rng: np.random.Generator,
    radius: float | None = None,
    points: int = 25,
) -> LossPicture:
    """J around θ (size,), from points² evaluations, which are not counted as work of the problem.

    radius: ‖θ‖ where not given, or 1 at θ = 0. points: on each axis; an odd number has θ itself
    among them. Raises InputError for a problem of one unknown, which has no plane.
    """
    if problem.size < 2:
        raise InputError("a picture of the loss has two directions, and the problem one unknown")
    apart = problem.uncounted
    directions = np.linalg.qr(rng.standard_normal((problem.size, 2)))[0].T.astype(theta.dtype)
    length = (norm(theta) or 1.0) if radius is None else radius
    steps = np.linspace(-length, length, points, dtype=theta.dtype)
    loss = [
        [apart.value(theta + a * directions[0] + b * directions[1]) for a in steps] for b in steps
    ]
    return LossPicture(steps, np.array(loss), directions)


def plot_loss_picture(picture: LossPicture, axes: Any) -> None:
    """Level lines on matplotlib axes, logarithmic in J where it is positive over a decade."""
    J, steps = picture.loss, picture.steps
    logarithmic = np.min(J) > 0 and np.max(J) > 10 * np.min(J)
    filled = axes.contourf(steps, steps, np.log10(J) if logarithmic else J, 20, cmap="viridis")
    axes.figure.colorbar(filled, ax=axes, label="log₁₀ J" if logarithmic else "J")
    axes.plot(0, 0, "w+", markersize=10)
    axes.set(xlabel="α", ylabel="β", title="J(θ + α d₁ + β d₂)", aspect="equal")
