"""Samples that are kept from a fit, to judge it: training and validation part of a problem."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from occore import InputError, Problem

Share = Annotated[
    float, Field(gt=0, lt=1, description="share of the training samples that judge the fit")
]
Seed = Annotated[int, Field(ge=0, description="of the choice of these samples")]


def training_and_validation(problem: Problem, share: float, seed: int) -> tuple[Problem, Problem]:
    """The problem on a random part of its samples, and on the others, about `share` of them.

    Raises InputError where a part would be empty.
    """
    samples = problem.data.samples
    count = round(share * samples)
    if not 0 < count < samples:
        raise InputError(
            f"validation = {share} leaves {samples - count} of {samples} training samples for the "
            f"fit and {count} to judge it; each part needs at least one"
        )
    order = np.random.default_rng(seed).permutation(samples)
    return problem.subset(np.sort(order[count:])), problem.subset(np.sort(order[:count]))
