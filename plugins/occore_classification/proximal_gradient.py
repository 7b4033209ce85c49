"""Proximal gradient method: gradient steps on the smooth terms, the proximal map of the other.

    θ⁺ = prox_{R/ℓ}(θ − ∇f(θ)/ℓ)

Parikh and Boyd, Proximal Algorithms (2014), section 4.2; what it shares is in `proximal`. J falls
in every step, at a rate of 1/k at worst. With `l1` it is iterative soft thresholding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from occore import Example, Structure
from occore_classification.lasso_example import scalar_lasso
from occore_classification.proximal import ProximalOptimizer


@dataclass(frozen=True)
class ProximalGradient(ProximalOptimizer):
    """Needs a smooth objective, with at most one penalty that has kinks and a proximal map."""

    requires: ClassVar[tuple[Structure, ...]] = ("composite",)
    momentum: ClassVar[bool] = False

    @classmethod
    def example(cls) -> Example:
        """The lasso of one sample, by hand."""
        return scalar_lasso(cls(tolerance=1e-12))
