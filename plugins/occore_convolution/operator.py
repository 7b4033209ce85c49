"""The convolution of pictures or signals with a stencil, its transposes, its matrix, its inverse.

    y_i = Σ_j K_jᵀ x_{s i + d (j − centre)}        of each sample; channels are vectors

symbol   code              shape                                         meaning
x        x                 (samples, *grid, channels_in)                 pictures, channels last
K        K                 (*stencil, channels_in, channels_out)         stencil
y        y                 (samples, *output_grid, channels_out)         value
p        p                 like y                                        adjoint
s, d     stride, dilation  whole numbers, the same for every axis

The stencil is applied as a correlation: tap j reads ahead by j. The convolution of the course,
y_i = Σ_j K_j x_{i−j}, is this with the stencil flipped along every axis; so the adjoint of the one
is the other (with channels_in and channels_out exchanged, where the boundary is zero or periodic
and the stencil odd). `occore_convolution.taps` defines the centre and the boundaries.

y is linear in x for a fixed K and in K for a fixed x:

    ⟨p, forward(x, K)⟩ = ⟨adjoint(p, K), x⟩ = ⟨stencil_gradient(x, p), K⟩

COURSE.md, topic 5: GEMM (im2col), FFT and sparse matrix are realisations of this one operator.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property
from types import ModuleType
from typing import Any, Literal

import numpy as np

from occore import (
    Array,
    ComputationError,
    Initialisation,
    InputError,
    StencilKernel,
    initial_weights,
)
from occore_convolution.realisations import fft, gemm, sparse
from occore_convolution.spectral_bound import spectral_bound
from occore_convolution.taps import Boundary, Taps, axis_outputs, axis_sources, taps

Realisation = Literal["gemm", "fft", "sparse"]
"""How a convolution is computed: the numbers are the same to rounding.

gemm: im2col and a matrix product. fft: products of Fourier transforms, for periodic grids.
sparse: the sparse matrix of the operator. The last two take NumPy arrays of real numbers; other
arrays, such as symbols, go through gemm.
"""

REALISATIONS: dict[str, ModuleType] = {"gemm": gemm, "fft": fft, "sparse": sparse}


@dataclass(frozen=True)
class ConvolutionOperator:
    """A convolution on a grid of any number of axes; see the head of the module.

    grid, stencil: cells and taps along each axis. Raises InputError for sizes that do not fit.
    """

    grid: tuple[int, ...]
    stencil: tuple[int, ...]
    channels_in: int
    channels_out: int
    boundary: Boundary = "zero"
    stride: int = 1
    dilation: int = 1
    realisation: Realisation = "gemm"

    def __post_init__(self) -> None:
        if len(self.stencil) != len(self.grid):
            raise InputError(
                f"the stencil {self.stencil} has {len(self.stencil)} axes, the grid {self.grid} "
                f"has {len(self.grid)}; give one number of taps for each axis"
            )
        if self.realisation == "fft" and self.boundary != "periodic":
            raise InputError(
                f"Fourier transforms are of periodic grids, and the boundary is {self.boundary!r}; "
                'take boundary = "periodic", or realisation = "gemm" or "sparse"'
            )
        _ = self.sources  # raises where the stencil does not fit

    @cached_property
    def sources(self) -> tuple[tuple[int, ...], ...]:
        """Along each axis, which cells the padded grid has."""
        return tuple(
            axis_sources(n, k, self.boundary, self.stride, self.dilation)
            for n, k in zip(self.grid, self.stencil, strict=True)
        )

    @property
    def kernel(self) -> StencilKernel:
        """The compiled loops."""
        return _kernel(self)

    @property
    def taps(self) -> Taps:
        """Which cells each output reads."""
        return taps(self.grid, self.stencil, self.boundary, self.stride, self.dilation)

    @cached_property
    def output_grid(self) -> tuple[int, ...]:
        """Cells of the value along each axis."""
        return tuple(
            axis_outputs(along, k, self.stride, self.dilation)
            for along, k in zip(self.sources, self.stencil, strict=True)
        )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(*grid, channels_in)."""
        return (*self.grid, self.channels_in)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(*output_grid, channels_out)."""
        return (*self.output_grid, self.channels_out)

    @property
    def stencil_shape(self) -> tuple[int, ...]:
        """(*stencil, channels_in, channels_out)."""
        return (*self.stencil, self.channels_in, self.channels_out)

    def initial_stencil(self, name: Initialisation, rng: np.random.Generator) -> Array:
        """K as the initialiser says, by the taps and channels that an entry has to do with."""
        taps = math.prod(self.stencil)
        fans = taps * self.channels_in, taps * self.channels_out
        return initial_weights(name, self.stencil_shape, *fans, rng)

    def forward(self, x: Array, K: Array) -> Array:
        """y, (samples, *output_grid, channels_out)."""
        return self._realised(x, K).forward(self, x, K)

    def adjoint(self, p: Array, K: Array) -> Array:
        """The transpose of `forward` in x, applied to p: (samples, *grid, channels_in)."""
        return self._realised(p, K).adjoint(self, p, K)

    def stencil_gradient(self, x: Array, p: Array) -> Array:
        """The transpose of `forward` in K, applied to p and summed over the samples."""
        return self._realised(x, p).stencil_gradient(self, x, p)

    def norm_bound(self, K: Array) -> float:
        """An upper bound of the norm of `forward` in x."""
        return spectral_bound(self, K)

    def matrix(self, K: Array) -> Any:
        """The sparse matrix A, CSR, with vec(y) = A vec(x) for each sample, channels fastest."""
        return sparse.matrix(self, K)

    def symbol(self, K: Array) -> Array:
        """The matrix (channels_in, channels_out) at each frequency: (*grid, …), complex.

        Raises InputError where the boundary is not periodic or the stride not one.
        """
        self._require_circulant("a symbol")
        return fft.symbol(self, K)

    def eigenvalues(self, K: Array) -> Array:
        """All eigenvalues of the matrix, (*grid, channels), complex, by frequency.

        Raises InputError where the matrix is not (block) circulant and square.
        """
        self._require_square("eigenvalues")
        S = self.symbol(K)
        return S[..., 0] if self.channels_in == 1 else np.linalg.eigvals(S)

    def inverse(self, y: Array, K: Array) -> Array:
        """x with forward(x, K) = y, by Fourier transforms.

        Raises InputError where the matrix is not (block) circulant and square, ComputationError
        where it is singular to rounding.
        """
        self._require_square("an inverse")
        sizes = np.linalg.svd(self.symbol(K), compute_uv=False)
        if not sizes.min() > np.finfo(K.dtype).eps * math.prod(self.grid) * sizes.max():
            at = np.unravel_index(np.argmin(sizes[..., -1]), self.grid)
            raise ComputationError(
                f"the convolution is singular: at the frequency {tuple(map(int, at))} its smallest "
                f"singular value is {sizes.min():.1e}, and its norm is {sizes.max():.1e}; add a "
                "multiple of the identity to the stencil, or solve a regularised problem"
            )
        return fft.inverse(self, y, K)

    def _realised(self, *arrays: Array) -> ModuleType:
        real = all(isinstance(a, np.ndarray) and np.isrealobj(a) for a in arrays)
        return REALISATIONS[self.realisation if real else "gemm"]

    def _require_circulant(self, what: str) -> None:
        if self.boundary != "periodic" or self.stride != 1:
            raise InputError(
                f"{what} by Fourier transforms needs a periodic boundary and stride 1; here the "
                f"boundary is {self.boundary!r} and the stride {self.stride}"
            )

    def _require_square(self, what: str) -> None:
        self._require_circulant(what)
        if self.channels_in != self.channels_out:
            raise InputError(
                f"{what} needs as many channels out as in; here {self.channels_in} become "
                f"{self.channels_out}"
            )


@cache
def _kernel(operator: ConvolutionOperator) -> StencilKernel:
    return StencilKernel(
        operator.grid,
        operator.sources,
        operator.stencil,
        operator.stride,
        operator.dilation,
        operator.channels_in,
        operator.channels_out,
    )
