"""FISTA: the proximal gradient method with Nesterov's momentum, restarted where it points uphill.

    θ⁺ = prox_{R/ℓ}(y − ∇f(y)/ℓ),    y = θ + (t − 1)/t₊ (θ − θ₋),    t₊ = (1 + √(1 + 4 t²))/2

Beck and Teboulle, SIAM J. Imaging Sci. 2 (2009), equations 4.1–4.3; what it shares is in
`proximal`. A rate of 1/k² at worst, and linear, of the root of the condition, with the restart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from occore import Example, Structure
from occore_classification.lasso_example import scalar_lasso
from occore_classification.proximal import ProximalOptimizer


@dataclass(frozen=True)
class FISTA(ProximalOptimizer):
    """Needs a smooth objective, with at most one penalty that has kinks and a proximal map."""

    requires: ClassVar[tuple[Structure, ...]] = ("composite",)
    momentum: ClassVar[bool] = True

    @classmethod
    def example(cls) -> Example:
        """The lasso of one sample, by hand."""
        return scalar_lasso(cls(tolerance=1e-12))
