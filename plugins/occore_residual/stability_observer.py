"""Stability report: the eigenvalues of the field along the trajectory, times the step.

For each integrated phase with fixed steps, in a group of its name:

name              shape            what is measured
real, imaginary   (steps, values)  z = h λ with λ the eigenvalues of f_x at the start of each step,
                                   of all samples that are looked at
growth            (steps,)         the largest |R(z)| of the step: above one, what is small grows

R is the stability function of the method. A step of `leapfrog` or `verlet` maps a pair by a matrix
with trace 2 + z² and determinant one, where z² are the eigenvalues of the product of both forces:

    μ² − (2 + z²) μ + 1 = 0,    |R(z)| stands for the larger |μ|

which is one for z on i [−2, 2]. Eigenvalues of f_x bound what happens to differences of states as
long as f_x changes slowly from step to step; a growth above one in few steps is no failure.

Source: Haber and Ruthotto, Stable architectures for deep neural networks, Inverse Problems 34
(2018), section 2; Hairer, Lubich and Wanner, Geometric Numerical Integration (2006), section I.5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import numpy as np
from pydantic import Field

from occore import (
    Array,
    Discretization,
    Example,
    InputError,
    Observer,
    Problem,
)
from occore_residual.passage import Passage, passages
from occore_single_layer.state_jacobians import state_jacobians


@dataclass(frozen=True)
class StabilityObserver(Observer):
    """h times the spectrum of f_x in each step, and how much the method lets it grow."""

    samples: Annotated[
        int, Field(gt=0, description="samples at whose states f_x is taken, the first ones")
    ] = 4
    entries: Annotated[
        int, Field(gt=0, description="entries of a state at most; longer ones take too long")
    ] = 256

    def observe(self, problem: Problem, theta: Array, iteration: int) -> dict[str, Array]:
        """The table of the module, with names `phase/name`."""
        found: dict[str, Array] = {}
        for passage in passages(problem, theta, self.samples):
            if passage.size > self.entries or passage.phase.dynamics.couples_samples:
                continue
            z, method = scaled_spectra(passage), passage.phase.discretization
            assert method is not None  # noqa: S101 - it is integrated
            values = {
                "real": z.real,
                "imaginary": z.imag,
                "growth": np.max(growth(method, z), axis=1),
            }
            found |= {f"{passage.phase.name}/{name}": value for name, value in values.items()}
        return found

    @classmethod
    def example(cls) -> Example:
        """K with the eigenvalues ±2i, Euler steps of ½: z = ±i and |1 + z|² = 2, by hand."""
        from occore_residual.example_flow import linear_flow

        return Example(
            cls(),
            problem=linear_flow([[1.0, 0.5]], 2, 1.0),
            theta=[0.0, 2.0, -2.0, 0.0],
            value={
                "flow/real": [[0.0, 0.0]] * 2,
                "flow/imaginary": [[-1.0, 1.0]] * 2,
                "flow/growth": [math.sqrt(2)] * 2,
            },
        )


def scaled_spectra(passage: Passage) -> Array:
    """h λ, complex (steps, samples · entries), each sample's in the order of imaginary parts."""
    march = passage.march
    grid, controls = march.grid, march.stages.controls(passage.controls)
    rows = []
    for k, x in enumerate(passage.states[:-1]):
        u = {name: value[0] for name, value in controls[k].items()}
        linearize = partial(march.dynamics.linearize, float(grid.times[k]), u=u)
        values = np.linalg.eigvals(state_jacobians(linearize, x, u))
        order = np.lexsort((values.real, values.imag), axis=-1)
        rows.append(grid.lengths[k] * np.take_along_axis(values, order, axis=-1).ravel())
    return np.stack(rows)


def growth(method: Discretization, z: Array) -> Array:
    """The factor by which a step stretches what belongs to the eigenvalue z; see the module."""
    from occore_continuous.stability_region import amplification

    if method.tableau is None and method.reach is not None:
        trace = 2 + z**2
        root = np.sqrt(trace**2 - 4 + 0j)
        return np.maximum(np.abs(trace + root), np.abs(trace - root)) / 2
    try:
        return amplification(method, z)
    except InputError:  # a method that treats parts of f in different ways has no R
        return np.full(z.shape, math.nan)
