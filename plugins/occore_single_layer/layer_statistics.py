"""Layer statistics: whether activations and gradients keep their size on their way through a chain.

For each phase of the chain, in a group of its name:

name               shape      what is measured
mean, deviation    (steps,)   of the entries of the state behind each step, of all samples
gradient_rms       ()         root mean square of the entries of ∂J/∂x behind the phase
saturation         ()         share of the entries at which σ' is below a tenth of its largest value
singular_mean      ()         mean, largest and smallest singular value of the Jacobian of the
singular_largest   ()         phase, ∂(its output)/∂(its input) for one sample, over `jacobians`
singular_smallest  ()         samples

A static phase counts as one step, and so does one with adaptive steps, whose number varies. The
singular values are nan where they are not wanted, where a state has more than `entries` entries,
and where samples are coupled. Where their mean is far below 1, gradients vanish over some layers.
The saturation is nan of a phase that is no static layer with an activation, and for sin.

Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks
(2010), sections 3 and 4.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import (
    Array,
    Controls,
    Data,
    Example,
    Observer,
    Phase,
    Problem,
    activation,
    is_sparse,
)
from occore_least_squares.least_squares import LeastSquares
from occore_single_layer.activated import ActivatedLayer
from occore_single_layer.dense import Dense
from occore_single_layer.state_jacobians import state_jacobians

SATURATED = 0.1
"""Below this share of the steepest slope an entry counts as saturated."""


@dataclass(frozen=True)
class LayerStatistics(Observer):
    """Size of activations, of gradients, and singular values of the Jacobian of each phase."""

    samples: Annotated[
        int, Field(gt=0, description="samples that are looked at, the first ones")
    ] = 256
    jacobians: Annotated[
        int, Field(ge=0, description="samples at which the Jacobian is found; 0 for none")
    ] = 1
    entries: Annotated[
        int, Field(gt=0, description="entries of a state at most where the Jacobian is found")
    ] = 1024

    def observe(self, problem: Problem, theta: Array, iteration: int) -> dict[str, Array]:
        """The table of the module, with names `phase/name`."""
        problem = problem.subset(np.arange(min(self.samples, problem.data.samples)))
        controls, x = problem.unflatten(theta), problem.data.inputs
        gradients = problem.state_gradients(theta)
        found: dict[str, Array] = {}
        for phase, gradient in zip(problem.phases, gradients, strict=True):
            u = controls[phase.name]
            states = list(phase.states(x, u))
            behind = states if phase.tolerances is None else states[-1:]
            values = {
                "mean": np.array([np.mean(state) for state in behind]),
                "deviation": np.array([np.std(state) for state in behind]),
                "gradient_rms": np.sqrt(np.mean(np.square(gradient))),
                "saturation": saturation(phase, x, u),
                **self._spectrum(phase, x, u),
            }
            found |= {f"{phase.name}/{name}": value for name, value in values.items()}
            x = states[-1]
        return found

    def _spectrum(self, phase: Phase, x: Array, u: Controls) -> dict[str, Array]:
        shapes = (x.shape[1:], phase.dynamics.output_shape or x.shape[1:])
        found = max(map(math.prod, shapes)) <= self.entries and not phase.dynamics.couples_samples
        samples = range(min(self.jacobians, x.shape[0]) if found else 0)
        values = np.array(
            [singular_values(phase, x[k : k + 1], u) for k in samples] or [[math.nan]]
        )
        return {
            "singular_mean": np.mean(values),
            "singular_largest": np.max(values),
            "singular_smallest": np.min(values),
        }

    @classmethod
    def example(cls) -> Example:
        """tanh(K x) with K = diag(1, 2) at K x = (½, ½) and (1, 1), and J = ½‖y‖², by hand."""
        layer = Dense((2,), 2, bias=False)
        data = Data(np.array([[0.5, 0.25], [1.0, 0.5]]), np.zeros((2, 2)))
        a, b = math.tanh(0.5), math.tanh(1.0)
        slope = 1 - a * a
        return Example(
            cls(),
            problem=Problem((Phase("hidden", layer),), LeastSquares(), data),
            theta=[1.0, 0.0, 0.0, 2.0],
            value={
                "hidden/mean": [(a + b) / 2],
                "hidden/deviation": [(b - a) / 2],
                "hidden/gradient_rms": math.sqrt((a * a + b * b) / 2),
                "hidden/saturation": 0.0,
                "hidden/singular_mean": 1.5 * slope,
                "hidden/singular_largest": 2 * slope,
                "hidden/singular_smallest": slope,
            },
        )


def saturation(phase: Phase, x: Array, u: Controls) -> float:
    """The share of saturated entries of a layer with an activation; nan for other phases."""
    layer = phase.dynamics
    if not (phase.static and isinstance(layer, ActivatedLayer)):
        return math.nan
    sigma = activation(layer.activation)
    if sigma.steepest is None:
        return math.nan
    s = layer.argument(x, u)
    return float(np.mean(sigma.slope(s, sigma(s)) < SATURATED * sigma.steepest))


def singular_values(phase: Phase, x: Array, u: Controls) -> Array:
    """Singular values of ∂(output)/∂(input) of a phase, the largest first.

    x: one sample (1, *state_shape).
    """
    x = x.toarray() if is_sparse(x) else x
    (J,) = state_jacobians(lambda x: phase.linearize(x, u), x, u)
    return np.linalg.svd(J, compute_uv=False)
