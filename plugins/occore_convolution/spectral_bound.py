"""The spectral norm of a convolution, or a bound of it, by Fourier transforms of its stencil.

    ‖K‖ ≤ c · max_k ‖S_k‖₂,    S_k the symbol (`occore_convolution.realisations.fft`) on a grid of

boundary     cells along an axis    c        because
periodic     n                      1        K is block circulant: ‖K‖ itself
zero, none   n + reach              1        K is a part of that block circulant matrix
reflecting   2 n                    √2 each  mirrored, x has twice its square norm, and the value is
                                             read off on half of the cells; c = 1 along an axis in
                                             which the stencil is symmetric, as the value is then

reach = dilation · (taps − 1). A stride keeps some of the outputs, which does not add to the norm.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from occore import Array

if TYPE_CHECKING:
    from occore_convolution.operator import ConvolutionOperator


def spectral_bound(operator: ConvolutionOperator, K: Array) -> float:
    """An upper bound of ‖K‖; for a periodic boundary and stride 1 the norm itself."""
    grid, factor = operator.grid, 1.0
    if operator.boundary == "reflecting":
        grid = tuple(2 * n for n in grid)
        crooked = sum(not np.array_equal(K, np.flip(K, axis)) for axis in range(len(grid)))
        factor = math.sqrt(2) ** crooked
    elif operator.boundary != "periodic":
        pairs = zip(grid, operator.stencil, strict=True)
        grid = tuple(n + operator.dilation * (k - 1) for n, k in pairs)
    around = replace(operator, grid=grid, boundary="periodic", stride=1)
    return factor * float(np.max(np.linalg.norm(around.symbol(K), 2, axis=(-2, -1))))
