"""Least squares: half the sum of squares of what the model misses.

Φ(x; c) = ½ s² ‖x − c‖²,    s² = 1 for the sum over the samples, 1/samples for their mean

symbol   code       shape                meaning
x        x          (samples, *shape)    end states
c        target     (samples, *shape)    targets
r        residual   (samples, *shape)    s (x − c), so that Φ = ½‖r‖²
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from occore import (
    Array,
    Data,
    Example,
    ObjectiveLinearization,
    TerminalObjective,
    array_namespace,
)


@dataclass(frozen=True)
class LeastSquares(TerminalObjective):
    """½‖x − target‖², summed over the samples or averaged."""

    sum_of_squares: ClassVar[bool] = True
    affine_residual: ClassVar[bool] = True

    reduction: Annotated[
        Literal["sum", "mean"], Field(description="whether samples are summed or averaged")
    ] = "sum"
    peak: Annotated[
        float | None,
        Field(gt=0, allow_inf_nan=False, description="largest target there may be, for psnr"),
    ] = None

    @property
    def averages(self) -> bool:
        """As `reduction` says."""
        return self.reduction == "mean"

    def residual_scale(self, samples: int) -> float:
        """s: 1 for the sum, 1/√samples for the mean."""
        return 1.0 if self.reduction == "sum" else samples**-0.5

    def __call__(self, x: Array, target: Array) -> Array:
        """Φ."""
        xp = array_namespace(x)
        r = self.residual_scale(x.shape[0]) * (x - target)
        return xp.sum(r * r) / 2

    def linearize(self, x: Array, target: Array) -> tuple[Array, ObjectiveLinearization]:
        """Φ and the derivatives, all from r."""
        scale = self.residual_scale(x.shape[0])
        r = scale * (x - target)
        return array_namespace(x).sum(r * r) / 2, LeastSquaresLinearization(r, scale)

    def metrics(self, x: Array, data: Data) -> dict[str, float]:
        """Root mean square error; R² for regression, the error rate for classification.

        rmse has the unit of the targets; psnr, where a peak is given, is 20 log₁₀(peak/rmse), the
        ratio of peak signal to noise in dB. r_squared is 1 − (squared error) / (squared deviation
        of the targets from their mean), error_rate the share of samples whose largest output is
        not that of their class.
        """
        squares = np.mean((x - data.targets) ** 2)
        result = {"rmse": float(np.sqrt(squares))}
        if self.peak is not None and squares > 0:
            result["psnr"] = float(10 * np.log10(self.peak**2 / squares))
        if data.classes is not None:
            wrong = np.argmax(x, axis=1) != np.argmax(data.targets, axis=1)
            return {**result, "error_rate": float(np.mean(wrong))}
        variance = np.mean((data.targets - np.mean(data.targets, axis=0)) ** 2)
        return {**result, "r_squared": float(1 - squares / variance)} if variance > 0 else result

    @classmethod
    def example(cls) -> Example:
        """½ (1² + 2² + 3²) = 7, by hand."""
        return Example(
            cls(), x=[[1.0, 0.0], [5.0, 1.0]], target=[[0.0, 2.0], [2.0, 1.0]], value=7.0
        )


@dataclass(frozen=True)
class LeastSquaresLinearization(ObjectiveLinearization):
    """Gradient s r, Hessian s²."""

    residual: Array
    scale: float

    def gradient(self) -> Array:
        """s r = s² (x − c)."""
        return self.scale * self.residual

    def hessian_product(self, d: Array) -> Array:
        """s² d."""
        return self.scale**2 * d

    def gauss_newton_product(self, d: Array) -> Array:
        """All of the Hessian."""
        return self.scale**2 * d

    def residual_jvp(self, d: Array) -> Array:
        """s d."""
        return d if self.scale == 1 else self.scale * d

    def residual_vjp(self, w: Array) -> Array:
        """s w."""
        return w if self.scale == 1 else self.scale * w
